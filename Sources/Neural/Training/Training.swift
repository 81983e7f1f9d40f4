import Autodiff
import TensorFiles

/// The training of a model by mini-batches, as a value.
///
///     var training = Training(
///       network, optimizer: Adam(learningRate: 1e-3), rows: [inputs, targets], batchSize: 32,
///       seed: 1
///     ) { network, batch, pass in
///       meanSquaredError(network(batch[0], &pass), batch[1])
///     }
///     try training.run(upTo: 100)
///
/// One step is, for a batch B of rows, with the learning rate η times the factor of the schedule:
///
///     model.updateState()
///     g = ∂/∂parameters loss(model, B, pass), scaled down to the norm limit
///     model.adopt(pass)
///     optimizer.update(&model, along: g)
///
/// An epoch is one pass over the rows in random order; it ends with the validation. Whatever is
/// random, the order of the rows and the numbers of the passes, is a function of the seed, the epoch
/// and the step. A copy is therefore a branch of the run, and a run that resumes from a checkpoint
/// takes the same steps, bit by bit, as one that was never interrupted.
///
/// A step that throws has not happened: the value is as before. The one exception is a step whose
/// checkpoint could not be written.
public struct Training<Model: Layer, Rows: TensorTree & Sendable>: Sendable {
  /// The loss of a batch: one floating-point element, by convention a mean over the rows.
  public typealias Loss = @Sendable (Model, Rows, inout TrainingPass) throws -> Tensor
  /// The loss of a batch of validation rows, for which the model is called without a pass.
  public typealias ValidationLoss = @Sendable (Model, Rows) throws -> Tensor

  // MARK: Settings, which may be changed between steps

  /// The rule of the updates with its state; its learning rate is the base rate of the schedule.
  public var optimizer: any Optimizer & Checkpointable
  /// The factor of the learning rate as a function of `stepCount`.
  public var schedule = LearningRateSchedule.constant
  /// The largest norm of a gradient; longer ones are scaled down to it.
  public var gradientNormLimit: Double?
  /// What to do about a parameter that the loss of a batch does not depend on.
  public var unusedParameters = UnusedArguments.refused
  /// When `run` ends before its time; needs validation.
  public var earlyStopping: EarlyStopping?
  /// Where and how often checkpoints are written; nil for none.
  public var checkpoints: Checkpoints?

  // MARK: State

  /// The model after the last step.
  public internal(set) var model: Model
  /// How many steps were taken.
  public internal(set) var stepCount = 0
  /// The epochs that ended.
  public internal(set) var epochs: [TrainingEpoch] = []
  /// The number of the epoch of the best validation loss; nil before the first validation.
  public internal(set) var bestEpoch: Int?
  /// The model at the end of that epoch.
  var best: Model
  /// The sum over the rows of this epoch of the losses of their batches.
  var lossSum = 0.0
  /// Never advanced: its children serve epochs and steps.
  var generator: PhiloxGenerator

  // MARK: The problem

  /// The number of rows of each batch but perhaps the last of an epoch.
  public let batchSize: Int
  let rows: Rows
  let rowCount: Int
  private let loss: Loss
  var validation: (rows: Rows, rowCount: Int, loss: ValidationLoss)?
  /// The batches of the current epoch.
  private var batches: Batches
  /// The step after which the last checkpoint was written or read.
  var checkpointedStep: Int?

  /// Creates a run before its first step.
  ///
  /// - Parameters:
  ///   - model: The model with its initial parameters.
  ///   - optimizer: The rule of the updates.
  ///   - rows: Trees of tensors whose first axes have one length; `[inputs, targets]`, say. A batch
  ///     has the same structure and some of the rows.
  ///   - batchSize: The number of rows of a batch; the last batch of an epoch has what is left.
  ///   - seed: Determines the order of the rows and the random numbers of the passes.
  ///   - loss: The loss of a batch.
  /// - Precondition: There is a row, and `batchSize` is above 0.
  public init(
    _ model: Model, optimizer: some Optimizer & Checkpointable, rows: Rows, batchSize: Int,
    seed: UInt64,
    loss: @escaping Loss
  ) {
    self.model = model
    self.best = model
    self.optimizer = optimizer
    self.rows = rows
    self.batchSize = batchSize
    self.loss = loss
    rowCount = Self.rowCount(rows)
    generator = PhiloxGenerator(seed: seed)
    batches = Self.batches(rowCount, batchSize, generator, epoch: 0)
  }

  /// The number of batches of an epoch.
  public var batchesPerEpoch: Int { batches.count }

  /// Takes one step, and validates where it ends an epoch.
  ///
  /// - Throws: `TrainingFailure`, where the loss throws, where loss, gradient, updated model or
  ///   validation loss are not finite, or where a checkpoint cannot be written.
  @discardableResult
  public mutating func step() throws(TrainingFailure) -> TrainingStep {
    let (epoch, batch) = (epochs.count + 1, stepCount % batches.count + 1)
    let indices = batches[batch - 1]
    var next = self
    next.model.updateState()
    var passes = generator.split(key: 1).split(key: UInt64(stepCount))
    var pass = TrainingPass(using: &passes)
    let (value, slope) = try gradient(of: next.model, indices, &pass, epoch, batch)
    let (clipped, norm) = slope.clipped(toNorm: gradientNormLimit ?? .infinity)
    guard value.isFinite, norm.isFinite else {
      throw .notFinite(loss: value, gradientNorm: norm, epoch: epoch, batch: batch)
    }
    next.model.adopt(pass)
    let rate = optimizer.learningRate * schedule.factor(at: stepCount)
    next.optimizer.learningRate = rate
    next.optimizer.update(&next.model, along: clipped)
    next.optimizer.learningRate = optimizer.learningRate
    if let name = next.model.nameOfNonFinite {
      throw .updateNotFinite(name: name, learningRate: rate, epoch: epoch, batch: batch)
    }
    next.stepCount += 1
    next.lossSum += value * Double(indices.elementCount)
    let ended = batch == batches.count ? try next.endEpoch(learningRate: rate) : nil
    self = next
    try writeCheckpointIfDue(isEndOfEpoch: ended != nil)
    return TrainingStep(loss: value, gradientNorm: norm, learningRate: rate, endedEpoch: ended)
  }

  /// The loss of a batch and its gradient at a model.
  private func gradient(
    of model: Model, _ indices: Tensor, _ pass: inout TrainingPass, _ epoch: Int, _ batch: Int
  ) throws(TrainingFailure) -> (Double, Model) {
    let part = rows.gatheringRows(indices)
    do {
      let (value, slope) = try valueWithGradient(at: model, unused: unusedParameters) { model in
        try loss(model, part, &pass)
      }
      return (value.scalar, slope)
    } catch {
      throw .loss(error, epoch: epoch, batch: batch)
    }
  }

  /// Validates, notes the epoch, and draws the order of the next.
  private mutating func endEpoch(learningRate: Double) throws(TrainingFailure) -> TrainingEpoch {
    let number = epochs.count + 1
    let validationLoss = try self.validationLoss(epoch: number)
    if let validationLoss, isImprovement(validationLoss) {
      bestEpoch = number
      best = model
    }
    let epoch = TrainingEpoch(
      number: number, loss: lossSum / Double(rowCount), validationLoss: validationLoss,
      learningRate: learningRate)
    epochs.append(epoch)
    lossSum = 0
    drawOrder()
    return epoch
  }

  /// Puts the rows in the order of the current epoch.
  mutating func drawOrder() {
    batches = Self.batches(rowCount, batchSize, generator, epoch: epochs.count)
  }

  private static func batches(
    _ rowCount: Int, _ batchSize: Int, _ generator: PhiloxGenerator, epoch: Int
  ) -> Batches {
    var order = generator.split(key: 0).split(key: UInt64(epoch))
    return Batches(count: rowCount, batchSize: batchSize, shuffledUsing: &order)
  }
}

extension Layer {
  /// The name of a parameter or a state tensor that holds an infinity or NaN, if there is one.
  fileprivate var nameOfNonFinite: String? {
    for (name, tensor) in zip(tensorPaths, tensors) where !tensor.isFinite { return name }
    let state = state
    for (name, tensor) in zip(state.tensorPaths, state.tensors) where !tensor.isFinite {
      return name
    }
    return nil
  }
}
