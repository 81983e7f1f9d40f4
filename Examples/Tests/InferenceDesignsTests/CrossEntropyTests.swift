import Autodiff
import Inference
import InferenceDesigns
import Orthogonal
import Testing

@Suite("Cross-entropy") struct CrossEntropyTests {
  private let design = CrossEntropy()

  @Test("The gradient is the one computed elsewhere") func theGradientIsTheOneComputedElsewhere() {
    let gradient = design.gradient(at: design.evaluationPoint).scalars
    for (found, known) in zip(gradient, [0.040127, 0.083449, -0.055629]) {
      #expect(abs(found - known) < 5.1e-7, "\(gradient)")
    }
  }

  /// A second answer: differences of F(ω) = E[softplus(h) − m h] by the trapezoidal rule.
  @Test("The gradient is the derivative of the objective")
  func theGradientIsTheDerivativeOfTheObjective() {
    let gradient = design.gradient(at: design.evaluationPoint).scalars
    for coordinate in 0..<3 {
      let step = 1e-4 * Tensor.oneHot(Tensor(indices: [coordinate]), depth: 3)[0]
      let difference =
        objective(design.evaluationPoint + step) - objective(design.evaluationPoint - step)
      #expect(abs(difference / 2e-4 - gradient[coordinate]) < 1e-7)
    }
  }

  /// At (0, 0, c) every g is σ(c), so the gradient is E[φ (σ(c) − Y)], which no longer changes where σ(c)
  /// is 1 to rounding.
  @Test("The gradient keeps its digits in the tail") func theGradientKeepsItsDigitsInTheTail() {
    let limit = design.gradient(at: Tensor([0, 0, 30])).scalars
    for logOdds in [40.0, 300] {
      for (found, expected) in zip(design.gradient(at: Tensor([0, 0, logOdds])).scalars, limit) {
        #expect(abs(found - expected) < 1e-12, "\(logOdds): \(found)")
      }
    }
  }

  private func objective(_ outer: Tensor) -> Double {
    let grid = Tensor.linearSpace(from: -9, to: 9, count: 361)
    let weights = exp(-0.5 * square(grid)) * (0.05 / (2 * Double.pi).squareRoot())
    let noise = 0.5.squareRoot() * grid
    let t = (grid.expandingShape(at: 1) + noise).flattened()
    func mean(_ point: Tensor, _ shift: Tensor) -> Tensor {
      let index = point[0] * sin(1.5 * t) + point[1] * t + point[2]
      let values = sigmoid(index.reshaped(to: [361, 361]) + shift)
      return (values * weights).sum(alongAxis: 1)
    }
    let target = mean(outer, .zeros(like: grid))
    let label = mean(Tensor([1, -0.8, 0.3]), noise)
    let logit = log(target / (1 - target))
    return ((softplus(logit) - label * logit) * weights).sum().scalar
  }

  @Test("The oracle score has the gradient as mean") func theOracleScoreHasTheGradientAsMean()
    throws
  {
    var generator = PhiloxGenerator(seed: 2)
    let sample = design.sample(20_000, using: &generator)
    let rows = design.oracleScores(of: sample, at: design.evaluationPoint)
    let estimate = try Estimate(
      value: rows.mean(alongAxis: 0), names: ["a", "b", "c"],
      influence: [InfluenceRows(rows, sample: SampleIdentity(fingerprint: [rows]))])
    let truth = design.gradient(at: design.evaluationPoint)
    let largest = abs((estimate.value - truth) / estimate.standardErrors).max().scalar
    #expect(largest < 4)
  }

  /// The closed form agrees with the layer's derivative where both have nuisances of the truth that
  /// hardly vary: those of a fine kernel regression are near enough for that.
  @Test("The layer estimates the gradient") func theLayerEstimatesTheGradient() throws {
    var generator = PhiloxGenerator(seed: 4)
    let sample = design.sample(1500, using: &generator)
    let layer = design.layer(
      nuisances: .kernelRidge(.gaussian(lengthScale: 0.7), ridge: .fixed(1e-3), landmarkCount: 40),
      crossFitting: CrossFitting(foldCount: 2, seed: 1))
    let fit = try layer.fit(on: sample, at: design.evaluationPoint)
    let found = try fit.hypergradient(at: design.evaluationPoint)
    let oracle = design.oracleScores(of: sample, at: design.evaluationPoint).mean(alongAxis: 0)
    // Both have the same sampling error, so their distance is a fraction of a standard error.
    let distance = abs((found.value - oracle) / found.standardErrors).max().scalar
    #expect(distance < 0.5)
  }
}
