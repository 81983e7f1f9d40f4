import Autodiff
import Orthogonal
import Solvers

/// A published scalar instrumental-variable design: figures 4 and 5 of El Khoury, Zenati, Kallus,
/// Arbel and Bibaut (2026).
///
///     X ~ N(0, I₃),  η ~ N(0, 0.1),  T = 2 (X₁ + X₂ + X₃) + η,  Y = 2 T + 0.5 η + N(0, 0.1²)
public struct PaperScalarIV: NormalInputDesign {
  public let stationaryPoint = Tensor([2])
  public let evaluationPoint = Tensor([2.35])
  public let hessian = Tensor(rows: [[12]])

  /// The design.
  public init() {}

  public var inputCovariance: Tensor { .identity(3) }

  public func sample(
    _ count: Int, using generator: inout PhiloxGenerator
  ) throws(SolverError) -> AffineProblem {
    let inputs = Tensor.normal([count, 3], using: &generator)
    let noise = normal(count, deviation: squareRoot(0.1), &generator)
    let treatment = 2 * inputs.sum(alongAxis: 1) + noise
    return try AffineProblem(
      inputs: inputs, innerSlope: treatment.expandingShape(at: 1),
      outcome: 2 * treatment + 0.5 * noise + normal(count, deviation: 0.1, &generator))
  }

  public func nuisances(at inputs: Tensor) -> AffineNuisances {
    let slope = 2 * inputs.sum(alongAxis: 1)
    return AffineNuisances(
      intercept: .zeros([inputs.shape[0]]), slope: slope.expandingShape(at: 1), outcome: 2 * slope)
  }
}
