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
