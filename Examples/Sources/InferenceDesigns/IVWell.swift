import Autodiff
import Orthogonal
import Solvers

/// A confounded instrumental-variable design with a well-conditioned target.
///
///     X ~ N(0, 1),  S = √2 X,  η ~ N(0, 0.25),  T = S + η,  φ(t) = (sin t, cos t, sin 2t)
///     Y = ω*ᵀφ(T) + 0.8 η + N(0, 0.25²),  ω* = (1, −0.5, 0.5)
///     j = (c₁ sin S, c₁ cos S, c₂ sin 2S),  c₁ = e^(−1/8),  c₂ = e^(−1/2)
public struct IVWell: NormalInputDesign {
  public let stationaryPoint = Tensor([1, -0.5, 0.5])
  public let evaluationPoint: Tensor
  public let hessian: Tensor

  /// The design.
  public init() {
    evaluationPoint = shifted(stationaryPoint, by: 0.5, along: [1, 1, -1])
    // Moments of sines and cosines of S, whose variance is 2.
    let (c1, c2) = (exponential(-0.125), exponential(-0.5))
    let mixed = 0.5 * c1 * c2 * (exponential(-1) - exponential(-9))
    hessian = Tensor(rows: [
      [0.5 * c1 * c1 * (1 - exponential(-4)), 0, mixed],
      [0, 0.5 * c1 * c1 * (1 + exponential(-4)), 0],
      [mixed, 0, 0.5 * c2 * c2 * (1 - exponential(-16))],
    ])
  }

  public var inputCovariance: Tensor { .identity(1) }

  public func sample(
    _ count: Int, using generator: inout PhiloxGenerator
  ) throws(SolverError) -> AffineProblem {
    let rows = draw(count, inputMean: 0, using: &generator)
    return try AffineProblem(inputs: rows.inputs, innerSlope: rows.slope, outcome: rows.outcome)
  }

  public func nuisances(at inputs: Tensor) -> AffineNuisances {
    let s = squareRoot(2) * inputs[0..., 0]
    let (c1, c2) = (exponential(-0.125), exponential(-0.5))
    let slope = columns(c1 * sin(s), c1 * cos(s), c2 * sin(2 * s))
    return AffineNuisances(
      intercept: .zeros([inputs.shape[0]]), slope: slope,
      outcome: product(slope, stationaryPoint))
  }

  /// Rows with X ~ N(mean, 1).
  func draw(
    _ count: Int, inputMean: Double, using generator: inout PhiloxGenerator
  ) -> (inputs: Tensor, slope: Tensor, outcome: Tensor) {
    let x = normal(count, &generator) + inputMean
    let noise = normal(count, deviation: 0.5, &generator)
    let t = squareRoot(2) * x + noise
    let slope = columns(sin(t), cos(t), sin(2 * t))
    let outcome =
      product(slope, stationaryPoint) + 0.8 * noise + normal(count, deviation: 0.25, &generator)
    return (x.expandingShape(at: 1), slope, outcome)
  }
}

/// `IVWell` seen through two samples with different inputs: inner rows (X, T) with X ~ N(0, 1), outer
/// rows (X, Y) with X ~ N(0.3, 1).
///
/// The density ratio of the inputs is e^(0.3 x − 0.045), and A is taken under the outer inputs.
public struct TwoSampleIV: Sendable {
  /// ω*, [d].
  public let stationaryPoint: Tensor
  /// Where the gradient is estimated, [d].
  public let evaluationPoint: Tensor
  /// A, [d, d].
  public let hessian: Tensor
  private let design = IVWell()

  private static let shift = 0.3

  /// The design.
  public init() {
    stationaryPoint = design.stationaryPoint
    evaluationPoint = design.evaluationPoint
    let rule = GaussHermite(120)
    let inputs = (rule.nodes + Self.shift).expandingShape(at: 1)
    hessian = secondMoment(design.nuisances(at: inputs).slope, weights: rule.weights)
  }

  /// ∇F(ω) = A (ω − ω*), [d].
  public func gradient(at outer: Tensor) -> Tensor { product(hessian, outer - stationaryPoint) }

  /// As many inner as outer rows, with the density ratio known.
  public func sample(
    _ count: Int, using generator: inout PhiloxGenerator
  ) throws(SolverError) -> TwoSampleAffineProblem {
    let inner = design.draw(count, inputMean: 0, using: &generator)
    let outer = design.draw(count, inputMean: Self.shift, using: &generator)
    let ratio = exp(Self.shift * inner.inputs[0..., 0] - 0.5 * Self.shift * Self.shift)
    return try TwoSampleAffineProblem(
      innerInputs: inner.inputs, innerSlope: inner.slope, outerInputs: outer.inputs,
      outcome: outer.outcome, densityRatio: .known(ratio))
  }

  /// The true conditional means at rows of inputs, [n, 1], of either sample.
  public func nuisances(at inputs: Tensor) -> AffineNuisances { design.nuisances(at: inputs) }
}
