import Autodiff
import Bilevel
import Neural
import Solvers
import TestSupport
import Testing

@Suite("States of functional training")
struct FunctionalStateTests {
  private static let x: Tensor = {
    var generator = PhiloxGenerator(seed: 61)
    return Tensor.normal([8, 2], using: &generator)
  }()

  private static func layer(steps: Int) -> FuncID<Tensor, Tensor> {
    var generator = PhiloxGenerator(seed: 62)
    let features = MLP(
      widths: [2, 4, 3], activation: .tanh, finalActivation: .tanh, using: &generator)
    return FuncID(
      outputCount: 1,
      in: .network(
        NetworkClass(
          features: features, head: .closedForm(ridge: 0.1),
          training: InnerTraining(optimizer: Adam(learningRate: 1e-2), stepCount: steps)))
    ) { _, v, _, y in square(v - y).sum(alongAxis: 1) }
  }

  @Test("Restarted optimisers have no memory, and the network is kept")
  func restart() throws {
    let sample = FunctionalSample(inputs: Self.x, labels: sin(Self.x[0..., 0..<1]))
    let other = FunctionalSample(inputs: Self.x, labels: cos(3 * Self.x[0..., 1..<2]))
    let state = FunctionalState()
    _ = try Self.layer(steps: 5).solution(at: Tensor(0), on: sample, state: state)
    state.restartOptimizers()
    let kept = try Self.layer(steps: 0).solution(at: Tensor(0), on: other, state: state)(Self.x)
    let restarted = try Self.layer(steps: 1).solution(
      at: Tensor(0), on: other, state: state)(Self.x)
    // The first step of Adam moves each parameter by the learning rate: its size is known.
    let remembering = FunctionalState()
    _ = try Self.layer(steps: 5).solution(at: Tensor(0), on: sample, state: remembering)
    let moving = try Self.layer(steps: 1).solution(
      at: Tensor(0), on: other, state: remembering)(Self.x)
    #expect((kept - restarted).normInfinity().scalar > 0)
    #expect((moving - restarted).normInfinity().scalar > 1e-6)
  }

  @Test("Training of no steps is not called converged")
  func noSteps() throws {
    let sample = FunctionalSample(inputs: Self.x, labels: sin(Self.x[0..., 0..<1]))
    let record = try Self.layer(steps: 0).solution(at: Tensor(0), on: sample).record
    #expect(!record.inner.isConverged)
    #expect(!record.isConverged)
  }

  @Test("Steps on batches move the adjoint as the whole sample does on average")
  func unbiased() throws {
    let weights = Tensor([5, 1, 1, 1, 1, 1, 3, 1])
    var generator = PhiloxGenerator(seed: 63)
    let start = Dense(inputSize: 2, outputSize: 1, using: &generator)
    let targets = Tensor.normal([8, 1], using: &generator)
    func adjoint(batchSize: Int?, seed: UInt64) throws -> Tensor {
      let layer = FuncID<Tensor, Tensor>(
        outputCount: 1, in: .linear(LinearClass(ridge: 0.1) { $0 }),
        adjoint: .trained(
          NetworkClass(
            features: Activation.identity, head: .trained(start),
            training: InnerTraining(
              optimizer: SGD(learningRate: 1), stepCount: 1, batchSize: batchSize)))
      ) { ω, v, x, y in exp(x[0..., 0]) * square(v - ω * y).sum(alongAxis: 1) }
      return try layer.hypergradient(
        at: Tensor(1), on: FunctionalSample(inputs: Self.x, labels: targets, weights: weights),
        state: FunctionalState(seed: seed), evaluatedAt: Self.x
      ) { _, v in 1e-3 * (square(v - 1) * targets).sum() }.adjoint
    }
    let whole = try adjoint(batchSize: nil, seed: 0)
    let count = 2000
    var (sum, squares) = (Tensor.zeros([8, 1]), Tensor.zeros([8, 1]))
    for seed in 0..<count {
      let difference = try adjoint(batchSize: 3, seed: UInt64(seed)) - whole
      sum += difference
      squares += square(difference)
    }
    let deviation = sqrt(squares / Double(count))
    let error = abs(sum / Double(count)) / deviation
    #expect(error.max().scalar < 4.5 / Double(count).squareRoot())
    #expect(deviation.min().scalar > 0)
  }

  @Test("Batches of rows of which most have no weight have weight")
  func sparseWeights() throws {
    var generator = PhiloxGenerator(seed: 62)
    let network = NetworkClass(
      features: Dense(inputSize: 2, outputSize: 2, using: &generator),
      head: .trained(Dense(inputSize: 2, outputSize: 1, using: &generator)),
      training: InnerTraining(stepCount: 20, batchSize: 1))
    let layer = FuncID<Tensor, Tensor>(outputCount: 1, in: .network(network)) { _, v, _, y in
      square(v - y).sum(alongAxis: 1)
    }
    let sample = FunctionalSample(
      inputs: Self.x, labels: Self.x[0..., 0..<1], weights: Tensor([0, 0, 1, 0, 0, 2, 0, 0]))
    let record = try layer.solution(at: Tensor(0), on: sample).record
    #expect(record.inner.iterations == 20)
  }

  private struct Refusal: Error {}

  @Test("A step that throws leaves the outer network as it was, also its state")
  func thrown() throws {
    var generator = PhiloxGenerator(seed: 64)
    let outer = MLP(
      widths: [2, 3, 1], activation: .tanh, isSpectrallyNormalized: true, using: &generator)
    let network = NetworkClass(
      features: Dense(inputSize: 2, outputSize: 2, using: &generator),
      head: .closedForm(ridge: 0.1), training: InnerTraining(stepCount: 2))
    let x = Self.x
    let problem = FunctionalProblem<MLP, Tensor>(
      outputCount: 1, innerInputs: x, innerLabels: { $0(x) },
      innerLoss: { _, v, _, y in square(v - y).sum(alongAxis: 1) }, outerInputs: x,
      outerLoss: { _, _, _ in throw Refusal() }, network: network)
    let training = OuterTraining(problem, method: .functional(), outer: outer)
    #expect(throws: SolverError.self) { try training.step() }
    let (before, after) = (
      outer.tensors + outer.state.tensors, training.outer.tensors + training.outer.state.tensors
    )
    for (a, b) in zip(before, after) { #expect(a.isBitwiseEqual(to: b)) }
  }

  // MARK: Refused

  private static func unrolled(
    _ features: some Layer, tolerance: Double? = nil, isDetached: Bool = false
  ) throws {
    let network = NetworkClass(
      features: features, head: .closedForm(ridge: 0.1),
      training: InnerTraining(stepCount: 3, tolerance: tolerance))
    let x = Self.x
    let problem = FunctionalProblem<Tensor, Tensor>(
      outputCount: 1, innerInputs: x,
      innerLabels: { (isDetached ? stopGradient($0) : $0) * x[0..., 0..<1] },
      innerLoss: { _, v, _, y in square(v - y).sum(alongAxis: 1) }, outerInputs: x,
      outerLoss: { _, v, _ in square(v - 1).mean() }, network: network)
    let training = OuterTraining(problem, method: .unrolled(steps: 2), outer: Tensor(0.5))
    _ = try training.step()
  }

  private static func dense() -> Dense {
    var generator = PhiloxGenerator(seed: 65)
    return Dense(inputSize: 2, outputSize: 3, using: &generator)
  }

  @Test("Unrolled steps that cannot be repeated are refused")
  func notRepeatable() async throws {
    try Self.unrolled(Self.dense())
    let dropout = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      try FunctionalStateTests.unrolled(
        Sequential([FunctionalStateTests.dense(), Dropout(probability: 0.5)]))
    }
    let tolerance = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      try FunctionalStateTests.unrolled(FunctionalStateTests.dense(), tolerance: 0.5)
    }
    for result in [dropout, tolerance] {
      #expect(Self.message(result).contains("unrolled steps are repeated"))
    }
  }

  @Test("An outer loss that depends on nothing, and a last layer of another width, are refused")
  func mistakes() async {
    let detached = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      try FunctionalStateTests.unrolled(FunctionalStateTests.dense(), isDetached: true)
    }
    #expect(Self.message(detached).contains("depends on the outer variable"))
    let width = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let network = NetworkClass(
        features: Activation.identity, head: .trained(FunctionalStateTests.dense()))
      let layer = FuncID<Tensor, Tensor>(outputCount: 1, in: .network(network)) { _, v, _, y in
        square(v - y).sum(alongAxis: 1)
      }
      let x = FunctionalStateTests.x
      _ = try layer.solution(
        at: Tensor(0), on: FunctionalSample(inputs: x, labels: x[0..., 0..<1]))
    }
    #expect(Self.message(width).contains("the last layer of its network has 3"))
  }

  private static func message(_ result: ExitTest.Result?) -> String {
    errorText(result)
  }
}
