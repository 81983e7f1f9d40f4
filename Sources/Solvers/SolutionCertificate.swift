import Autodiff

/// The evidence that a point x is a solution of F(x) = 0, or why it is not accepted as one.
///
/// With the Newton step δ = F₁⁻¹ F, x is accepted where F₁ is regular (for minima and least squares
/// positive definite) after its rows and columns were scaled, F is linear over the step, and
///
///     ‖δ‖ ≤ τ ‖x‖ tensor by tensor, and for minima δᵀ F ≤ τ² xᵀ F₁ x,
///
/// or where rounding leaves nothing to gain: ‖F‖ ≤ 16 ‖F(x ∘ (1 + ε s)) − F(x)‖ with random signs s, or
/// ½ δᵀ F ≤ 8 ε |f| after a search that found no better point; then the figure says how uncertain x is,
/// and no more than 1e-4 is accepted (float32: 3e-3; after a stalled search 10 τ). Nothing here depends on where the search began, on the units of f, or
/// on those of a tensor.
///
/// That F is linear over the step, ‖F(x − δ) − (F − F₁ δ)‖ ≤ ‖F₁ δ‖ / 5, is what tells a solution from
/// a point on the way to infinity: e⁻ˣ leaves 1/e, and a root of multiplicity m leaves
/// (1 − 1/m)ᵐ ≥ ¼. It is checked over the uncertainty by rounding where that is longer than δ.
///
/// Deuflhard, Newton Methods for Nonlinear Problems (2011), chapter 2, for affine invariance and the
/// contraction test; Dennis and Schnabel, Numerical Methods (1996), section 7.2, for typical
/// magnitudes. The two norms together: the plain one sees a component that hardly matters for f, the
/// energy norm a small component that matters much.
public struct SolutionCertificate: Sendable, Equatable {
  /// Why a point is accepted.
  public enum Grounds: Sendable, Equatable {
    /// The Newton step is short.
    case newtonStep
    /// F is no larger than its rounding errors.
    case rounding
    /// No better point was found, and what the objective can still fall is no more than its rounding.
    case objectiveRounding
  }

  /// Why the point is accepted; nil where it is not.
  public let grounds: Grounds?
  /// Why it is not accepted: `inaccurate` where the Newton step is too long; nil where it is.
  public let refusal: SolverStatus.Outcome?
  /// The largest ‖δ‖ / ‖x‖ of a tensor: the estimated relative error of x.
  ///
  /// A lower bound where the point was refused before δ was known well; NaN where F₁ gives no step.
  public let relativeError: Double
  /// √(δᵀ F / xᵀ F₁ x), the relative error in the norm of the Hessian; for roots and fixed points the
  /// same of unknowns scaled by the columns of F₁, where that is formed, and nil elsewhere.
  public let energyError: Double?
  /// τ.
  public let accuracy: Double
  /// Products with F₁ and evaluations of F that were spent on it.
  public let products: Int

  /// Whether the point is accepted as a solution.
  public var isAccepted: Bool { grounds != nil }

  /// The residual up to which a point as near as this one would be accepted, rounding included; NaN
  /// where this one is not.
  func threshold(residual: Double) -> Double {
    guard isAccepted else { return .nan }
    return residual * max(16, accuracy / max(relativeError, .leastNormalMagnitude))
  }
}

extension SolutionCertificate: CustomStringConvertible {
  /// One phrase: the figure beside what is allowed.
  public var description: String {
    switch (grounds, refusal) {
    case (.newtonStep?, _):
      "error about \(number(relativeError)) of x (allowed \(number(accuracy)))"
    case (.rounding?, _), (.objectiveRounding?, _):
      "at working precision, error about \(number(relativeError)) of x"
    case (nil, .inaccurate?) where relativeError.isFinite:
      "the Newton step is \(number(relativeError)) of x (allowed \(number(accuracy)))"
    case (nil, let refusal?): "refused: \(refusal.words)"
    case (nil, nil): "not judged"
    }
  }
}
