import Autodiff
import Solvers

/// How the gradient of g(x*(y), y) is estimated from a point x near x*.
///
/// All are consistent: at x = x* each gives the exact hypergradient. Off it, with d = x − x*,
///
///     estimate − exact = Ω₁ d + O(‖d‖²),
///
/// and they differ in Ω₁. Source: Ye, Peyré, Cremers, Ablin (2024), "Enhancing hypergradients
/// estimation: a study of preconditioning and reparameterization".
public enum HypergradientEstimator<Outer: TensorTree>: Sendable {
  /// Ω(x, y) = g₂ − F₂ᵀ p with F₁ᵀ p = g₁, all at x.
  case plain
  /// Ω(x − P⁻¹ F, y): Ω₁ becomes Ω₁ (I − P⁻¹ F₁), 0 for Newton.
  case preconditioned(any StepPreconditioner)
  /// The plain estimator in coordinates z, x = φ(z, y).
  case reparameterized(any Reparameterization<Outer>)
  /// The reparameterised estimator after a preconditioned step: the gains multiply.
  case composed(any StepPreconditioner, any Reparameterization<Outer>)
  /// Ω(x) − Ω₁(x) F₁⁻¹ F: second order without evaluating the outer loss at another point.
  case linearized

  /// The step that is taken first.
  var step: (any StepPreconditioner)? {
    switch self {
    case .preconditioned(let step), .composed(let step, _): step
    default: nil
    }
  }

  /// Whether the estimate is differentiable in x at the solution, so that it has a Jacobian Ω₁: a
  /// step by conjugate gradients is not linear in F.
  public var isLinear: Bool { step?.isLinear ?? true }

  /// The order of the estimate's error in that of x, which the adjoint tolerance has to match.
  var order: Int {
    switch self {
    case .plain, .reparameterized: 1
    default: 2
    }
  }
}

/// A hypergradient with its evidence.
public struct Hypergradient<Inner: TensorTree, Outer: TensorTree> {
  /// g at the point where it was evaluated.
  public let value: Tensor
  /// The estimate of dg(x*(y), y)/dy.
  public let gradient: Outer
  /// Where it was evaluated: the solution, after the step of a preconditioned estimator.
  ///
  /// A better start for the next inner solve than the point before it.
  public let inner: Inner
  /// Residuals of the inner and the adjoint problem, and the estimated error if it was asked for.
  public let record: TrustRecord
}

extension Hypergradient: Sendable where Inner: Sendable, Outer: Sendable {}

/// How the error of a hypergradient is estimated: by its difference from a better one, taken one
/// more step beyond the point where it was evaluated, with the adjoint system solved tightly.
public enum ErrorEstimate: Sendable {
  /// A Newton step: asymptotically the exact error.
  case newton
  /// A few conjugate-gradient iterations on the Newton system: cheaper, usually within 20 %.
  case conjugateGradient(iterations: Int)

  func step(_ reference: any LinearSolver) -> any StepPreconditioner {
    switch self {
    case .newton: NewtonStep(solver: reference)
    case .conjugateGradient(let iterations): ConjugateGradientStep(iterations: iterations)
    }
  }
}
