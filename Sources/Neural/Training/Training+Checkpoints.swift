import Autodiff
import Foundation
import TensorFiles

/// A checkpoint holds the parameters and the state of the model, the optimiser, the position, the
/// histories and the best model.
///
/// Rows, losses and the settings besides the optimiser are those of the program that reads it, which
/// must be the same for a run to go on to the same bits. Another number of rows or batch size,
/// another model and another optimiser are refused.
extension Training: Checkpointable {
  /// Goes on from the file of `checkpoints`, if there is one.
  ///
  ///     training.checkpoints = Checkpoints(at: "run.checkpoint", every: .epochs(1))
  ///     try training.resume()
  ///     try training.run(upTo: 100)
  ///
  /// - Returns: Whether there was a file.
  /// - Throws: As `readCheckpoint(from:)`; then the run is as it was.
  /// - Precondition: `checkpoints` is set.
  @discardableResult
  public mutating func resume() throws(FileError) -> Bool {
    guard let checkpoints else {
      stop("Training", "resume() reads the file of checkpoints: set that before")
    }
    guard FileManager.default.fileExists(atPath: checkpoints.path) else { return false }
    try readCheckpoint(from: checkpoints.path)
    checkpointedStep = stepCount
    return true
  }

  /// Visits what a run needs to go on to the same bits, and refuses another problem.
  public mutating func visitCheckpoint(_ visitor: inout CheckpointVisitor) {
    visitProblem(&visitor)
    let (oldGenerator, oldEpoch) = (generator, epochs.count)
    visitor.visit(&generator, "generator")
    visitor.visit(&stepCount, "stepCount")
    visitor.visit(&lossSum, "lossSum")
    visitEpochs(&visitor)
    visit(&model, "model", &visitor)
    visitBest(&visitor)
    visitor.visit(&optimizer, "optimizer")
    visitor.require(
      stepCount >= 0 && epochs.count == stepCount / batchesPerEpoch,
      "\(stepCount) steps are not \(epochs.count) epochs of \(batchesPerEpoch)")
    let isSameOrder =
      generator.seed == oldGenerator.seed && generator.stream == oldGenerator.stream
      && epochs.count == oldEpoch
    if !isSameOrder { drawOrder() }
  }

  /// What must be the same in the program that reads.
  private func visitProblem(_ visitor: inout CheckpointVisitor) {
    var (rows, size, name) = (rowCount, batchSize, "\(type(of: optimizer))")
    let expected = (rows, size, name)
    visitor.visit(&rows, "rowCount")
    visitor.visit(&size, "batchSize")
    visitor.visit(&name, "optimizerType")
    visitor.require(rows == expected.0, "\(rows) rows, but \(expected.0) were expected")
    visitor.require(size == expected.1, "batches of \(size), but of \(expected.1) were expected")
    visitor.require(name == expected.2, "optimizer \(name), but \(expected.2) was expected")
  }

  private mutating func visitEpochs(_ visitor: inout CheckpointVisitor) {
    var losses = epochs.map(\.loss)
    // A loss that was noted is finite, so NaN can say that there was no validation.
    var validationLosses = epochs.map { $0.validationLoss ?? .nan }
    var rates = epochs.map(\.learningRate)
    visitor.visit(&losses, "losses")
    visitor.visit(&validationLosses, "validationLosses")
    visitor.visit(&rates, "learningRates")
    let isConsistent = losses.count == validationLosses.count && losses.count == rates.count
    visitor.require(isConsistent, "the histories of epochs differ in length")
    guard isConsistent else { return }
    epochs = losses.indices.map { index in
      let validation = validationLosses[index]
      return TrainingEpoch(
        number: index + 1, loss: losses[index],
        validationLoss: validation.isNaN ? nil : validation, learningRate: rates[index])
    }
  }

  private mutating func visitBest(_ visitor: inout CheckpointVisitor) {
    var number = bestEpoch ?? 0
    visitor.visit(&number, "bestEpoch")
    let isKnown = number >= 0 && number <= epochs.count
    visitor.require(isKnown, "the best epoch is \(number) of \(epochs.count)")
    bestEpoch = isKnown && number > 0 ? number : nil
    if bestEpoch != nil { visit(&best, "best", &visitor) }
  }

  private func visit(_ model: inout Model, _ name: String, _ visitor: inout CheckpointVisitor) {
    visitor.visit(&model, "\(name)/parameters")
    var state = model.state
    visitor.visit(&state, "\(name)/state")
    model.state = state
  }

  /// Writes a checkpoint if the plan has one after this step.
  mutating func writeCheckpointIfDue(isEndOfEpoch: Bool) throws(TrainingFailure) {
    guard let checkpoints,
      checkpoints.areDue(
        stepCount: stepCount, epochCount: epochs.count, isEndOfEpoch: isEndOfEpoch)
    else { return }
    try write(to: checkpoints.path)
  }

  /// Writes a checkpoint if there is a plan and this step has none yet.
  mutating func writeLastCheckpoint() throws(TrainingFailure) {
    guard let checkpoints, checkpointedStep != stepCount else { return }
    try write(to: checkpoints.path)
  }

  private mutating func write(to path: String) throws(TrainingFailure) {
    do throws(FileError) {
      try writeCheckpoint(to: path)
    } catch {
      throw .checkpoint(error)
    }
    checkpointedStep = stepCount
  }
}
