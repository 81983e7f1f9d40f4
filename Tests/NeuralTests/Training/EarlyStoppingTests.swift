import Autodiff
import Neural
import Testing

@Suite("Early stopping")
struct EarlyStoppingTests {
  /// A run whose validation loss after epoch t is (t − 5)²: 16, 9, 4, 1, 0, 1, 4 and so on.
  private func training(_ rule: EarlyStopping?) -> Training<Number, Tensor> {
    var training = Number.training(rows: [1], batchSize: 1)
    training.validate(on: Tensor([5])) { model, batch in square(model.w + batch).mean() }
    training.earlyStopping = rule
    return training
  }

  @Test("Stops when the patience is spent, and keeps the best model", arguments: 1...3)
  func stops(_ patience: Int) throws {
    var training = training(EarlyStopping(patience: patience))
    #expect(training.bestEpoch == nil)
    #expect(training.bestModel.value == 0)
    try training.run(upTo: 100)
    #expect(training.hasStopped)
    #expect(training.bestEpoch == 5)
    #expect(training.bestModel.value == -5)
    #expect(training.epochs.count == 5 + patience)
    #expect(training.model.value == -Double(5 + patience))
    try training.run(upTo: 100)
    #expect(training.epochs.count == 5 + patience)
  }

  @Test("An improvement must be larger than the minimum")
  func minimumImprovement() throws {
    // After 4 in epoch 3 nothing is below 4 − 4.
    var training = training(EarlyStopping(patience: 3, minimumImprovement: 4))
    try training.run(upTo: 100)
    #expect(training.bestEpoch == 3)
    #expect(training.epochs.count == 6)
    #expect(training.epochs.map(\.validationLoss) == [16, 9, 4, 1, 0, 1])
  }

  @Test("Without a rule the run goes on, and the best model is kept")
  func withoutRule() throws {
    var training = training(nil)
    try training.run(upTo: 20)
    #expect(training.epochs.count == 20)
    #expect(training.bestModel.value == -5)
    #expect(!training.hasStopped)
  }

  @Test("More patience lets a run go on from its last model")
  func morePatience() throws {
    var training = training(EarlyStopping(patience: 1))
    try training.run(upTo: 100)
    #expect(training.model.value == -6)
    training.earlyStopping?.patience = 4
    try training.run(upTo: 100)
    #expect(training.model.value == -9)
  }
}
