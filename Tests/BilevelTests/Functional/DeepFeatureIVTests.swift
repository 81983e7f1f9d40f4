import Autodiff
import Bilevel
import GradientCheck
import Neural
import Testing

@Suite("Deep feature instrumental variables")
struct DeepFeatureIVTests {
  /// y = sin(t) + confounding, t moved by z.
  private static func sample(_ count: Int, seed: UInt64, _ type: ScalarType = .float64)
    -> InstrumentalSample
  {
    var generator = PhiloxGenerator(seed: seed)
    let z = Tensor.uniform([count, 2], from: -2, to: 2, type, using: &generator)
    let confounder = Tensor.normal([count, 1], type, using: &generator)
    let t = z.slice(0..<1, alongAxis: 1) + 0.5 * confounder
    let y = sin(t) + confounder
    return InstrumentalSample(treatments: t, instruments: z, outcomes: y)
  }

  private static func model(_ type: ScalarType = .float64, spectral: Bool = false)
    -> DeepFeatureIV<MLP, MLP>
  {
    var generator = PhiloxGenerator(seed: 7)
    return DeepFeatureIV(
      treatment: MLP(
        widths: [1, 8, 4], activation: .tanh, layerNorm: .beforeActivation,
        isSpectrallyNormalized: spectral, scalarType: type, using: &generator),
      instrument: MLP(
        widths: [2, 8, 5], activation: .tanh, isSpectrallyNormalized: spectral, scalarType: type,
        using: &generator),
      firstHead: LinearHead(ridge: 0.05), secondHead: LinearHead(ridge: 0.02))
  }

  @Test("The gradient of an outer step agrees with finite differences", arguments: [false, true])
  func outerGradient(spectral: Bool) throws {
    let model = Self.model(spectral: spectral)
    let (first, second) = (Self.sample(25, seed: 1), Self.sample(20, seed: 2))
    // The checker's own tolerance is 1e-7, relative.
    try requireGradients(at: model.treatment, options: GradientCheckOptions(order: 1)) {
      (treatment: MLP) throws(LinearAlgebraError) -> Tensor in
      try model.outerLoss(treatment, first: first, second: second)
    }
  }

  @Test("The gradient of an inner step agrees with finite differences")
  func innerGradient() throws {
    let model = Self.model()
    let first = Self.sample(25, seed: 1)
    let targets = model.treatment(first.treatments)
    try requireGradients(at: model.instrument, options: GradientCheckOptions(order: 1)) {
      (instrument: MLP) throws(LinearAlgebraError) -> Tensor in
      try model.innerLoss(instrument, targets: targets, instruments: first.instruments)
    }
  }

  @Test("The outer gradient is the one of the implicit function theorem, assembled by hand")
  func implicitGradient() throws {
    // V solves (A + λ I) V = Φᵀ F / n with F = ψ(t): ∂L/∂F = Φ (A + λ I)⁻¹ ∂L/∂V / n, and the
    // gradient in the network is the pullback of that. By the envelope theorem u is constant.
    let model = Self.model()
    let (first, second) = (Self.sample(25, seed: 1), Self.sample(20, seed: 2))
    let n = Double(first.count)
    let ones = Tensor.ones([first.count, 1])
    let phi = Tensor.concatenated([model.instrument(first.instruments), ones], alongAxis: 1)
    let (targets, pullback) = vjp(at: model.treatment) { $0(first.treatments) }
    let normal = matmul(phi, phi, transposeA: true) * (1 / n) + 0.05 * Tensor.identity(6)
    let weights = try solve(normal, matmul(phi, targets, transposeA: true) * (1 / n))
    let secondFeatures = model.instrument(second.instruments)
    let predicted = model.firstHead.predict(secondFeatures, weights: weights)
    let u = try model.secondHead.fit(predicted, to: second.outcomes)
    let residual = second.outcomes - model.secondHead.predict(predicted, weights: u)
    let slope = -2 / Double(second.count) * matmul(residual, u[0..<4], transposeB: true)
    let secondPhi = Tensor.concatenated([secondFeatures, Tensor.ones([20, 1])], alongAxis: 1)
    let adjoint = try solve(normal, matmul(secondPhi, slope, transposeA: true))
    let byHand = pullback(matmul(phi, adjoint) * (1 / n))

    let automatic = try gradient(at: model.treatment) { treatment throws(LinearAlgebraError) in
      try model.outerLoss(treatment, first: first, second: second)
    }
    for (a, b) in zip(automatic.tensors, byHand.tensors) {
      #expect((a - b).normInfinity().scalar <= 1e-12 * max(1e-3, b.normInfinity().scalar))
    }
  }

  @Test("Training recovers the structural function and beats direct regression")
  func training() throws {
    let (first, second) = (Self.sample(2000, seed: 3), Self.sample(2000, seed: 4))
    var training = DeepFeatureIVTraining(
      Self.model(), first: first, second: second, innerStepCount: 5,
      innerOptimizer: Adam(learningRate: 1e-2), outerOptimizer: Adam(learningRate: 1e-2))
    training.model.firstHead.ridge = 1e-3
    training.model.secondHead.ridge = 1e-3
    let firstLosses = try training.step()
    var lastLosses = firstLosses
    for _ in 0..<60 { lastLosses = try training.step() }
    #expect(lastLosses.outer < firstLosses.outer)
    let grid = Tensor.linearSpace(from: -1.8, to: 1.8, count: 50).reshaped(to: [50, 1])
    let fitted = try training.model.structuralFunction(at: grid, first: first, second: second)
    let error = square(fitted - sin(grid)).mean().scalar
    // Regression of y on t converges to sin t + E[confounder | t], whose slope error is
    // cov(confounder, t) / var(t) = 0.5 / (4/3 + 0.25).
    let direct = square(0.5 / (4.0 / 3 + 0.25) * grid).mean().scalar
    #expect(error < 0.25 * direct)
  }

  @Test("A run is reproducible bit by bit, in float32 too")
  func reproducible() throws {
    let (first, second) = (Self.sample(40, seed: 3, .float32), Self.sample(40, seed: 4, .float32))
    func run() throws -> [Tensor] {
      var training = DeepFeatureIVTraining(
        Self.model(.float32, spectral: true), first: first, second: second, innerStepCount: 2)
      for _ in 0..<3 { _ = try training.step() }
      return training.model.treatment.tensors + training.model.instrument.tensors
    }
    for (a, b) in zip(try run(), try run()) { #expect(a.isBitwiseEqual(to: b)) }
  }

  @Test("Inputs that are not finite stop training with the level named")
  func notFinite() {
    let first = Self.sample(10, seed: 1)
    let broken = InstrumentalSample(
      treatments: first.treatments, instruments: first.instruments,
      outcomes: first.outcomes * Double.infinity)
    var training = DeepFeatureIVTraining(Self.model(), first: first, second: broken)
    #expect {
      _ = try training.step()
    } throws: { error in
      "\(error)".contains("outer problem left the finite numbers")
    }
  }
}
