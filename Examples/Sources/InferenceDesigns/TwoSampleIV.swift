import Autodiff
import Orthogonal
import Solvers

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
