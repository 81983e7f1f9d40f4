import Autodiff
import Bilevel
import Foundation
import Inference
import Neural
import Orthogonal
import Solvers
import Synchronization
import Testing

// Layers as constants of the library they are in, which is what only a `Sendable` value can be.

private let scale = Tensor([1.5, -0.5])

/// x* = c e⁻ʸ with c = `scale`.
private let implicit = AID<Tensor, Tensor>(
  minimizing: { x, y in (0.5 * exp(y) * square(x) - scale * x).sum() }, startingAt: Tensor([0, 0]),
  solver: NewtonCG())

private let solved = implicit.solved { _, y in scale * exp(-y) }

/// x ← x − s (eʸ x − c), which ends at c e⁻ʸ (1 − (1 − s eʸ)ᵀ).
private let unrolled = ITD<Tensor, Tensor>(
  minimizing: { x, y in (0.5 * exp(y) * square(x) - scale * x).sum() }, startingAt: Tensor([0, 0]),
  update: .gradientDescent(step: 0.2), steps: 9, memory: .checkpointed(segment: 4))

private let inputs = Tensor([-1, -0.3, 0.4, 1.1, 1.6], shape: [5, 1])
private let labels = Tensor([0.5, 0.1, -0.2, 0.9, 1.4], shape: [5, 1])
private let sample = FunctionalSample(inputs: inputs, labels: labels)
private let ridge = 0.05

/// h(x) = x w with w = Σ e^(ωx) x y / (Σ e^(ωx) x² + 2 λ n).
private let functional = FuncID<Tensor, Tensor>(
  outputCount: 1, in: .linear(LinearClass(ridge: ridge) { $0 }), innerLoss: weightedSquares)

private let network = FuncID<Tensor, Tensor>(
  outputCount: 1, in: .network(networkClass), innerLoss: weightedSquares)

private func weightedSquares(_ ω: Tensor, _ v: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor {
  (exp(ω * x) * 0.5 * square(v - y)).sum(alongAxis: 1)
}

private let networkClass: NetworkClass = {
  var generator = PhiloxGenerator(seed: 3)
  return NetworkClass(
    features: MLP(widths: [1, 4, 3], activation: .tanh, using: &generator),
    head: .closedForm(ridge: 0.1), training: InnerTraining(stepCount: 5, batchSize: 3))
}()

private let problem = FunctionalProblem<Tensor, Tensor>(
  outputCount: 1, innerInputs: inputs, innerLabels: { ω in ω * labels },
  innerLoss: { _, v, _, y in square(v - y).sum(alongAxis: 1) }, outerInputs: inputs,
  outerLoss: { _, v, _ in square(v - 1).mean() }, network: networkClass)

private let logistic = OBiGrad<Tensor, Tensor, Tensor>(
  outputCount: 1, nuisances: .linear(.polynomials(inputSize: 1, degree: 2, ridge: 1e-3)),
  crossFitting: CrossFitting(foldCount: 3, seed: 4),
  innerLoss: { ω, v, _, y in (softplus(v) - sigmoid(ω * y) * v).sum(alongAxis: 1) },
  outerLoss: { ω, v, _, y in (0.5 * square(v - y) + ω * v).sum(alongAxis: 1) })

private let squares = OBiGrad<Tensor, Tensor, Tensor>.quadratic(
  nuisances: .linear(.polynomials(inputSize: 1, degree: 2, ridge: 1e-3)),
  crossFitting: CrossFitting(foldCount: 3, seed: 4), innerTarget: { ω, _, y in sin(ω * y) },
  outerTarget: { _, _, y in y })

private let newton = HypergradientEstimator<Tensor>.composed(
  NewtonStep(), NewtonReparameterization())

private let points = (0..<12).map { 0.1 * Double($0) - 0.55 }

/// f at every point, each in a task of its own, all at once.
private func concurrently<Value: Sendable>(
  _ f: @escaping @Sendable (Double) throws -> Value
) async throws -> [Value] {
  try await withThrowingTaskGroup(of: (Int, Value).self) { group in
    for (index, point) in points.enumerated() {
      group.addTask { (index, try f(point)) }
    }
    return try await group.reduce(into: [(Int, Value)]()) { $0.append($1) }
      .sorted { $0.0 < $1.0 }.map(\.1)
  }
}

@Suite("Layers shared by tasks")
struct LayerSendabilityTests {
  /// What tasks find must be, to the bit, what is found one after the other.
  private func expectTheSame(
    _ f: @escaping @Sendable (Double) throws -> [Double],
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    let found = try await concurrently(f)
    #expect(found == (try points.map(f)), sourceLocation: sourceLocation)
  }

  /// g(y) = Σ x(y)² with its gradient.
  private static func squaredNorm(
    _ layer: any BilevelLayer<Tensor, Tensor> & Sendable, _ y: Double
  ) throws -> [Double] {
    let state = WarmStart<Tensor>()
    let (value, slope) = try valueWithGradient(at: Tensor([y, 2 * y])) { y in
      square(try layer.solution(at: y, warmStart: state).value).sum()
    }
    return value.scalars + slope.scalars
  }

  @Test("AID: Σ c² e⁻²ʸ, whose gradient is −2 c² e⁻²ʸ")
  func implicitLayers() async throws {
    for layer in [implicit, solved] {
      let found = try await concurrently { try Self.squaredNorm(layer, $0) }
      for (y, numbers) in zip(points, found) {
        let (first, second) = (2.25 * exp(-2 * y), 0.25 * exp(-4 * y))
        for (number, expected) in zip(numbers, [first + second, -2 * first, -2 * second]) {
          #expect(abs(number - expected) <= 1e-8 * first)
        }
      }
      try await expectTheSame { try Self.squaredNorm(layer, $0) }
    }
  }

  @Test("AID: hypergradients by an estimator leave their tasks with their records")
  func hypergradients() async throws {
    let results = try await concurrently { y in
      try implicit.hypergradient(
        at: Tensor([y, y]), evaluatedAt: Tensor([1.4, -0.4]) * exp(Tensor(-y)), estimator: newton,
        errorEstimate: .newton
      ) { x, _ in x.sum() }
    }
    for (y, result) in zip(points, results) {
      // Σ x* has the gradient −c e⁻ʸ; a Newton step ends at x*, wherever it starts.
      let error = result.gradient + scale * exp(Tensor(-y))
      #expect(error.normInfinity().scalar <= 1e-9 * exp(-y))
      #expect(!result.record.linearSolves.isEmpty)
    }
  }

  @Test("AID: settable closures and by-products serve every task")
  func closures() async throws {
    let log = Mutex<[Double]>([])
    var layer = implicit
    layer.progress = { _, residual in log.withLock { $0.append(residual) } }
    let observed = layer
    let steps = try await concurrently {
      try observed.solution(at: Tensor([$0, $0])).status.iterations
    }
    #expect(steps.allSatisfy { $0 > 0 })
    #expect(log.withLock { $0.count } == steps.reduce(0, +))
    let byProducts = try await concurrently { y in
      try implicit.solution(at: Tensor([y, y])) { _, y in (scale * exp(-y), y) }.auxiliary.scalars
    }
    #expect(byProducts == points.map { [$0, $0] })
  }

  @Test("ITD: the closed form of nine gradient steps and its derivative")
  func unrolledLayers() async throws {
    let found = try await concurrently { try Self.squaredNorm(unrolled, $0) }
    for (y, numbers) in zip(points, found) {
      var value = 0.0
      for (index, c) in [1.5, -0.5].enumerated() {
        let a = exp(Double(index + 1) * y)
        let (rest, last) = (power(1 - 0.2 * a, 9), power(1 - 0.2 * a, 8))
        let x = c * (1 - rest) / a
        // dx/dy = a dx/da.
        let slope = c * 9 * 0.2 * last - x
        value += x * x
        #expect(abs(numbers[index + 1] - 2 * x * slope) <= 1e-12)
      }
      #expect(abs(numbers[0] - value) <= 1e-12)
    }
    try await expectTheSame { try Self.squaredNorm(unrolled, $0) }
  }

  private func power(_ base: Double, _ exponent: Int) -> Double {
    (0..<exponent).reduce(1) { product, _ in product * base }
  }

  /// g(ω) = Σ (h(x) − 1)² with its gradient.
  private static func misfit(_ layer: FuncID<Tensor, Tensor>, _ ω: Double) throws -> [Double] {
    let state = FunctionalState(seed: 5)
    let (value, slope) = try valueWithGradient(at: Tensor(ω)) { ω in
      square(try layer.solution(at: ω, on: sample, state: state)(inputs) - 1).sum()
    }
    return [value.scalar, slope.scalar]
  }

  @Test("FuncID: a weighted ridge regression and its derivative in the weights")
  func functionalLayers() async throws {
    let found = try await concurrently { try Self.misfit(functional, $0) }
    let (x, y) = (inputs.scalars, labels.scalars)
    for (ω, numbers) in zip(points, found) {
      func sum(_ term: (Double, Double) -> Double) -> Double {
        zip(x, y).reduce(0) { $0 + exp(ω * $1.0) * term($1.0, $1.1) }
      }
      let (top, bottom) = (sum { $0 * $1 }, sum { x, _ in x * x } + 2 * ridge * 5)
      let w = top / bottom
      let slope = (sum { $0 * $0 * $1 } - w * sum { x, _ in x * x * x }) / bottom
      let value = x.reduce(0) { $0 + (w * $1 - 1) * (w * $1 - 1) }
      let expected = x.reduce(0) { $0 + 2 * (w * $1 - 1) * $1 * slope }
      #expect(abs(numbers[0] - value) <= 1e-10)
      #expect(abs(numbers[1] - expected) <= 1e-10)
    }
    try await expectTheSame { try Self.misfit(functional, $0) }
  }

  @Test("FuncID behind a network, and loops over a shared problem: the bits of serial runs")
  func networks() async throws {
    try await expectTheSame { try Self.misfit(network, $0) }
    try await expectTheSame { ω in
      let training = OuterTraining(
        problem, method: .functional(), outer: Tensor(ω), optimizer: SGD(learningRate: 0.1))
      return try (0..<3).map { _ in try training.step().outer } + [training.outer.scalar]
    }
  }

  private static let drawn: FunctionalSample<Tensor> = {
    var generator = PhiloxGenerator(seed: 8)
    let x = Tensor.normal([30, 1], using: &generator)
    return FunctionalSample(
      inputs: x, labels: sin(x) + 0.3 * Tensor.normal([30, 1], using: &generator))
  }()

  @Test("OBiGrad: fits in tasks are those of serial runs, with the derivative of their value")
  func orthogonalLayers() async throws {
    for layer in [logistic, squares] {
      try await expectTheSame { ω in
        let fit = try layer.fit(on: BilevelSample(Self.drawn), at: Tensor(ω))
        let (value, slope) = try valueWithGradient(at: Tensor(ω)) { try fit.value(at: $0) }
        let estimate = try fit.hypergradient(at: Tensor(ω))
        return [value.scalar, slope.scalar] + estimate.value.scalars
          + estimate.standardErrors.scalars
      }
      // One fit, asked by all tasks.
      let fit = try layer.fit(on: BilevelSample(Self.drawn), at: Tensor(0.5))
      let found = try await concurrently { ω in
        try valueWithGradient(at: Tensor(ω)) { try fit.value(at: $0) }.gradient.scalar
      }
      for (ω, slope) in zip(points, found) {
        let (above, below) = (
          try fit.value(at: Tensor(ω + 1e-5)).scalar, try fit.value(at: Tensor(ω - 1e-5)).scalar
        )
        #expect(abs(slope - (above - below) / 2e-5) <= 1e-8)
      }
    }
  }
}
