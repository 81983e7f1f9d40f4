import Autodiff

extension Training {
  /// Validates at the end of each epoch from now on.
  ///
  ///     training.validate(on: [inputs, targets]) { network, batch in
  ///       meanSquaredError(network(batch[0]), batch[1])
  ///     }
  ///
  /// The validation loss is the mean over the rows of what `loss` gives for their batches, which
  /// have the size of those of training.
  ///
  /// - Parameters:
  ///   - rows: Rows of the structure of the training rows.
  ///   - loss: The loss of a batch, one element.
  /// - Precondition: There is a row.
  public mutating func validate(on rows: Rows, loss: @escaping ValidationLoss) {
    validation = (rows, Self.rowCount(rows), loss)
  }

  /// The model at the end of the epoch with the best validation loss, or `model` where nothing was
  /// validated yet.
  ///
  /// `model` itself is never set back, so a run can go on from where it ended.
  public var bestModel: Model { bestEpoch == nil ? model : best }

  /// Whether early stopping has ended the run: its patience was spent on epochs without an
  /// improvement.
  public var hasStopped: Bool {
    guard let earlyStopping, let bestEpoch else { return false }
    return epochs.count - bestEpoch >= earlyStopping.patience
  }

  /// Takes the steps that are left of the current epoch.
  ///
  /// - Throws: As `step()`; the steps before the one that failed have happened.
  @discardableResult
  public mutating func epoch() throws(TrainingFailure) -> TrainingEpoch {
    while true {
      if let epoch = try step().endedEpoch { return epoch }
    }
  }

  /// Trains until `epochCount` epochs have ended, counted from the beginning of training, or early
  /// stopping ends the run, and writes a checkpoint if the last step did not.
  ///
  /// - Parameters:
  ///   - epochCount: The total number of epochs; a run that has as many already takes no step.
  ///   - progress: Called at the end of each epoch, after its checkpoint.
  /// - Throws: As `step()`; the steps before the one that failed have happened.
  public mutating func run(
    upTo epochCount: Int, progress: (TrainingEpoch) -> Void = { _ in }
  ) throws(TrainingFailure) {
    if earlyStopping != nil && validation == nil {
      stop("Training", "early stopping needs a validation loss: call validate(on:loss:) before")
    }
    while epochs.count < epochCount && !hasStopped { progress(try epoch()) }
    try writeLastCheckpoint()
  }

  /// The validation loss of the model, if there is validation.
  func validationLoss(epoch: Int) throws(TrainingFailure) -> Double? {
    guard let (rows, rowCount, loss) = validation else { return nil }
    var sum = 0.0
    for indices in Batches(count: rowCount, batchSize: batchSize) {
      do {
        let value = try loss(model, rows.gatheringRows(indices))
        sum += value.scalar * Double(indices.elementCount)
      } catch {
        throw .validation(error, epoch: epoch)
      }
    }
    let mean = sum / Double(rowCount)
    guard mean.isFinite else { throw .validationNotFinite(loss: mean, epoch: epoch) }
    return mean
  }

  /// Whether a validation loss is lower than the best so far by enough.
  func isImprovement(_ loss: Double) -> Bool {
    guard let bestEpoch, let lowest = epochs[bestEpoch - 1].validationLoss else { return true }
    return loss < lowest - (earlyStopping?.minimumImprovement ?? 0)
  }

  /// The common length of the first axes.
  static func rowCount(_ rows: Rows) -> Int {
    let (names, tensors) = (rows.tensorPaths, rows.tensors)
    guard let first = tensors.first else { stop("Training", "the rows hold no tensor") }
    for (name, tensor) in zip(names, tensors) {
      guard let count = tensor.shape.first, count == first.shape.first, count > 0 else {
        stop(
          "Training",
          """
          expected rows along the first axis of every tensor, at least one and equally many, \
          found \(first.shape)\(name.isEmpty ? "" : " and, at \(name),") \(tensor.shape)
          """)
      }
    }
    return first.shape[0]
  }
}

extension TensorTree {
  /// The rows of these indices, of every tensor.
  func gatheringRows(_ indices: Tensor) -> Self {
    mapTensors { $0.gathering(indices, alongAxis: 0) }
  }
}
