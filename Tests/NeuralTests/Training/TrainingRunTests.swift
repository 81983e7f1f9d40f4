import Autodiff
import Neural
import TestSupport
import Testing

@Suite("Training runs")
struct TrainingRunTests {
  @Test("A linear model on all rows ends at the least-squares solution")
  func leastSquares() throws {
    var generator = PhiloxGenerator(seed: 8)
    let x = Tensor.normal([40, 3], using: &generator)
    let y = matmul(x, Tensor([1, -2, 0.5], shape: [3, 1])) + 3
    let noisy = y + 0.3 * Tensor.normal([40, 1], using: &generator)
    var training = Training(
      Dense(inputSize: 3, outputSize: 1, using: &generator),
      optimizer: SGD(learningRate: 0.1, momentum: 0.5), rows: [x, noisy], batchSize: 40, seed: 1
    ) { model, batch, pass in meanSquaredError(model(batch[0], &pass), batch[1]) }
    try training.run(upTo: 400)

    // (AᵀA) s = Aᵀ y with a column of ones.
    let a = Tensor.concatenated([x, Tensor.ones([40, 1])], alongAxis: 1)
    let solution = try solvePositiveDefinite(
      matmul(a.transposed(), a), matmul(a.transposed(), noisy))
    let found = training.model.weight.scalars + (training.model.bias?.scalars ?? [])
    expectClose(Tensor(found), solution.scalars, tolerance: 1e-12)
    let residual = meanSquaredError(matmul(a, solution), noisy).scalar
    expectClose(Tensor(training.epochs[399].loss), [residual], tolerance: 1e-12)
    #expect(training.epochs.map(\.number) == Array(1...400))
    #expect(training.stepCount == 400)
  }

  @Test("Each epoch takes every row once, in an order that the seed determines")
  func rows() throws {
    // The gradient of a batch is the mean of its rows.
    let rows = (0..<12).map { Double($0 * $0) }
    let sum = rows.reduce(0, +)
    var training = Number.training(rows: rows, batchSize: 4)
    #expect(training.batchesPerEpoch == 3)
    var orders: [[Double]] = []
    for epoch in 1...3 {
      var order: [Double] = []
      for batch in 1...3 {
        let step = try training.step()
        order.append(step.gradientNorm)
        #expect(step.endedEpoch?.number == (batch == 3 ? epoch : nil))
      }
      expectClose(training.model.w, [-Double(epoch) * sum / 4])
      orders.append(order)
    }
    #expect(Set(orders).count == 3)
    var other = Number.training(rows: rows, batchSize: 4, seed: 2)
    #expect(try other.step().gradientNorm != orders[0][0])
  }

  @Test("The loss of an epoch weighs batches by their rows")
  func lossOfEpoch() throws {
    // At rate 0 and w = 2, the epoch's loss is the mean of 2 x over all rows, of batches 3 + 3 + 1.
    var training = Training(
      Number(w: Tensor(2)), optimizer: SGD(learningRate: 0),
      rows: Tensor([1, 2, 4, 8, 16, 32, 64]), batchSize: 3, seed: 3
    ) { model, batch, _ in model(batch).mean() }
    training.validate(on: Tensor([1, 2, 3, 10])) { model, batch in model(batch).mean() }
    let epoch = try training.epoch()
    expectClose(Tensor(epoch.loss), [2 * 127.0 / 7])
    #expect(epoch.validationLoss == 8)
    #expect(training.stepCount == 3)
  }

  @Test("The schedule scales the base rate at every step, and leaves the base rate alone")
  func schedule() throws {
    var training = Number.training(rows: [1, 1, 1], batchSize: 1, rate: 0.5)
    training.schedule = .warmUp(over: 1, then: .stepDecay(factor: 0.5, every: 2))
    let rates = try (0..<6).map { _ in try training.step().learningRate }
    #expect(rates == [0.25, 0.5, 0.5, 0.25, 0.25, 0.125])
    #expect(training.model.value == -rates.reduce(0, +))
    #expect(training.optimizer.learningRate == 0.5)
    #expect(training.epochs.map(\.learningRate) == [0.5, 0.125])
  }

  @Test("Gradients are clipped to the limit, and their norms reported as they were")
  func clipping() throws {
    var training = Number.training(rows: [8], batchSize: 1)
    training.gradientNormLimit = 2
    #expect(try training.step().gradientNorm == 8)
    #expect(training.model.value == -2)
    training.gradientNormLimit = nil
    try training.step()
    #expect(training.model.value == -10)
  }

  @Test("A run reports its epochs, ends at the number asked for, and goes on from there")
  func progress() throws {
    var training = Number.training(rows: [1, 1], batchSize: 1)
    try training.step()
    var reported: [TrainingEpoch] = []
    try training.run(upTo: 2) { reported.append($0) }
    #expect(training.stepCount == 4)
    try training.run(upTo: 2) { reported.append($0) }
    try training.run(upTo: 3) { reported.append($0) }
    #expect(training.stepCount == 6)
    #expect(reported == training.epochs)
    // Losses are those before the updates: (−0 − 1) / 2, (−2 − 3) / 2, (−4 − 5) / 2.
    #expect(reported.map(\.loss) == [-0.5, -2.5, -4.5])
    #expect(reported[0].description == "epoch 1: loss -0.5, learning rate 1.0")
  }

  @Test("A copy is a branch: it takes the same steps, and leaves the original as it was")
  func copies() throws {
    var generator = PhiloxGenerator(seed: 5)
    let x = Tensor.normal([20, 2], using: &generator)
    var training = Training(
      MLP(widths: [2, 8, 1], isSpectrallyNormalized: true, using: &generator),
      optimizer: Adam(learningRate: 0.01), rows: x, batchSize: 6, seed: 4
    ) { model, batch, pass in
      square(model(batch + Tensor.normal(batch.shape, using: &pass.generator), &pass)).mean()
    }
    try training.run(upTo: 2)
    let before = training.model
    var copy = training
    try copy.run(upTo: 4)
    expectEqual(training.model, before)
    expectEqual(training.model.state, before.state)
    try training.run(upTo: 4)
    expectEqual(training.model, copy.model)
    expectEqual(training.model.state, copy.model.state)
    #expect(training.epochs == copy.epochs)
    // The power iterations ran.
    let states = zip(before.state.tensors, copy.model.state.tensors)
    #expect(states.contains { !$0.isBitwiseEqual(to: $1) })
  }

  @Test("Refuses rows that do not fit together, and early stopping without validation")
  func refusals() async {
    let rows = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Training(
        Number(), optimizer: SGD(learningRate: 1), rows: [Tensor([1, 2]), Tensor([1])],
        batchSize: 1, seed: 1
      ) { model, _, _ in model.w }
    }
    expectMessage(rows, "Training: expected rows along the first axis", "found [2] and, at 1, [1]")
    let validation = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      var training = Number.training(rows: [1], batchSize: 1)
      training.earlyStopping = EarlyStopping(patience: 1)
      try training.run(upTo: 1)
    }
    expectMessage(validation, "early stopping needs a validation loss")
    let patience = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = EarlyStopping(patience: 0)
    }
    expectMessage(patience, "EarlyStopping: expected a patience of at least one epoch, found 0")
  }
}
