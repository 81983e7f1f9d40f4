import Autodiff
import Inference
import Solvers

/// A quadratic bilevel problem whose inner and outer losses are seen on different samples: inner rows
/// have X and g_ω = r + dgᵀω, outer rows X and y. With ρ = dP_outer / dP_inner of X:
///
///     φ_outer = j (h − y),   φ_inner = ρ [ j (g − h) + (dg − j)(h − m) ]
///     ∇F ≈ mean φ_outer + mean φ_inner,   Cov = Cov(φ_outer) / n_outer + Cov(φ_inner) / n_inner
///
/// φ_inner has mean zero given X at the truth, so errors of ρ too enter by products only. Folds are
/// made in each sample by itself.
public struct TwoSampleAffineProblem: Sendable {
  /// X, r and dg.
  public let inner: AffineProblem
  /// X and y.
  public let outer: AffineProblem
  /// ρ.
  public let densityRatio: DensityRatio

  /// A problem of two independent samples.
  ///
  /// - Parameters:
  ///   - innerInputs: X of the inner sample, [n, p].
  ///   - innerIntercept: r, [n]; nil for zero.
  ///   - innerSlope: dg, [n, d].
  ///   - outerInputs: X of the outer sample, [k, p].
  ///   - outcome: y, [k].
  ///   - densityRatio: ρ.
  /// - Throws: `OrthogonalError` where a number is not finite or the outcome is constant.
  public init(
    innerInputs: Tensor, innerIntercept: Tensor? = nil, innerSlope: Tensor, outerInputs: Tensor,
    outcome: Tensor, densityRatio: DensityRatio = .one, names: [String]? = nil
  ) throws(SolverError) {
    inner = try AffineProblem(
      inputs: innerInputs, innerIntercept: innerIntercept, innerSlope: innerSlope, names: names)
    // Nothing of the outer sample has a slope: the column is a placeholder of the right width.
    outer = try AffineProblem(
      inputs: outerInputs, innerSlope: .zeros([outerInputs.shape[0], innerSlope.shape[1]]),
      outcome: outcome, known: .init(slopeColumns: Set(0..<innerSlope.shape[1])), names: names)
    guard innerInputs.shape[1] == outerInputs.shape[1] else {
      stop(
        "TwoSampleAffineProblem",
        "the samples have \(innerInputs.shape[1]) and \(outerInputs.shape[1]) input columns")
    }
    if case .known(let ratio) = densityRatio {
      guard ratio.shape == [inner.count] else {
        stop(
          "TwoSampleAffineProblem",
          "expected a density ratio for each of \(inner.count) inner rows, found \(ratio.shape)")
      }
      try ratio.requireFiniteRows("density ratios")
    }
    self.densityRatio = densityRatio
  }
}
