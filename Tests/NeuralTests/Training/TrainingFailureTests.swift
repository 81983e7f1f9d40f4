import Autodiff
import Neural
import Testing

private struct Unreadable: Error {}

@Suite("Training failures")
struct TrainingFailureTests {
  /// Rows 1, …, 6 in batches of 2 with the given loss, after `count` good steps at rate 1.
  private func training(
    rate: Double = 1, loss: @escaping Training<Number, Tensor>.Loss
  ) -> Training<Number, Tensor> {
    Training(
      Number(), optimizer: SGD(learningRate: rate, momentum: 0.5),
      rows: Tensor([1, 1, 1, 1, 1, 1]),
      batchSize: 2, seed: 1, loss: loss)
  }

  /// Steps until one fails, and expects that one to have changed nothing.
  private func firstFailure(of training: inout Training<Number, Tensor>) -> TrainingFailure? {
    for _ in 0..<20 {
      let before = training
      do throws(TrainingFailure) {
        try training.step()
      } catch {
        #expect(training.model.w.isBitwiseEqual(to: before.model.w))
        #expect(training.stepCount == before.stepCount)
        #expect(training.epochs == before.epochs)
        let (rule, old) = (training.optimizer as? SGD, before.optimizer as? SGD)
        #expect(rule?.velocities.map(\.scalars) == old?.velocities.map(\.scalars))
        #expect(rule?.learningRate == old?.learningRate)
        return error
      }
    }
    Issue.record("no step failed")
    return nil
  }

  @Test("A loss that is not finite names epoch and batch, and changes nothing")
  func loss() throws {
    // w = 0, −1, −2.5, −4.25, −6.125: log(5 + w) fails in step 5.
    var training = training { model, _, _ in model.w + 0 * log(model.w + 5) }
    let failure = try #require(firstFailure(of: &training))
    guard case .notFinite(let loss, _, 2, 2) = failure else {
      Issue.record("found \(failure)")
      return
    }
    #expect(loss.isNaN)
    #expect(failure.description.hasPrefix("epoch 2, batch 2: expected a finite loss and gradient"))
    // The run can go on with another setting.
    training.optimizer = SGD(learningRate: 0)
    #expect(throws: TrainingFailure.self) { try training.step() }
  }

  @Test("A finite loss with an infinite gradient is refused")
  func gradient() throws {
    var training = training { model, _, _ in pow(square(model.w), 0.25) }
    guard case .notFinite(0, let norm, 1, 1) = try #require(firstFailure(of: &training)) else {
      Issue.record("another failure")
      return
    }
    #expect(!norm.isFinite)
  }

  @Test("An update that overflows is refused and names the parameter")
  func update() throws {
    var training = training(rate: 1e300) { model, batch, _ in 1e10 * model(batch).mean() }
    let failure = try #require(firstFailure(of: &training))
    guard case .updateNotFinite("w", 1e300, 1, 1) = failure else {
      Issue.record("found \(failure)")
      return
    }
    #expect(failure.description.contains("the update with learning rate 1e+300 made w infinite"))
  }

  @Test("A validation loss that is not finite undoes the last step of its epoch")
  func validation() throws {
    var training = training { model, batch, _ in model(batch).mean() }
    training.validate(on: Tensor([1])) { model, batch in (log(model.w + 5) * batch).mean() }
    let failure = try #require(firstFailure(of: &training))
    guard case .validationNotFinite(let loss, 2) = failure else {
      Issue.record("found \(failure)")
      return
    }
    #expect(loss.isNaN)
    #expect(training.stepCount == 5)
    training.validate(on: Tensor([1])) { _, batch in batch.mean() }
    try training.step()
    #expect(training.epochs.map(\.validationLoss).last == 1)
  }

  @Test("Errors of the losses are passed on with their place")
  func errors() throws {
    var training = training { model, batch, _ in
      if stopGradient(model.w).scalar < -2 { throw Unreadable() }
      return model(batch).mean()
    }
    guard case .loss(let error, 1, 3) = try #require(firstFailure(of: &training)) else {
      Issue.record("another failure")
      return
    }
    #expect(error is Unreadable)
    var other = self.training { model, batch, _ in model(batch).mean() }
    other.validate(on: Tensor([1])) { _, _ in throw Unreadable() }
    guard case .validation(let inner, 1) = try #require(firstFailure(of: &other)) else {
      Issue.record("another failure")
      return
    }
    #expect(inner is Unreadable)
  }
}
