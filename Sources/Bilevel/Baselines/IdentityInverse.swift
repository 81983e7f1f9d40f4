import Autodiff
import Solvers

/// An approximate baseline that puts step · I in place of F₁⁻¹: "Jacobian-free".
///
/// Not consistent: an error remains at the exact solution. Its solves are judged by their residual
/// like any other, so a layer throws unless its `onFailure` is `.report`. Source: Fung et al. (2022), "JFB: Jacobian-free backpropagation for implicit networks"; Luketina et al. (2016).
public struct IdentityInverse: LinearSolver {
  /// What stands for F₁⁻¹; 1 for a fixed point.
  public let step: Double

  public var tolerance: Double? { nil }

  /// A solver that returns its right-hand side.
  public init(step: Double = 1) { self.step = step }

  public func solve(_ system: LinearSystem) throws(SolverError) -> LinearSolution {
    let x = step * system.rightHandSide
    let residual = norm(try system.residual(at: x))
    let (scale, tolerance) = (norm(system.rightHandSide), system.tolerance)
    let status = SolverStatus(
      method: "IdentityInverse (approximate)",
      outcome: residual <= tolerance * scale ? .converged : .inaccurate,
      history: [scale, residual], threshold: tolerance * scale, scale: scale, evaluations: 1)
    return LinearSolution(value: x, status: status)
  }
}
