import Autodiff

/// A method for an inner problem: an argmin, a root, or a fixed point.
public protocol InnerSolver: Sendable {
  /// Solves a problem from its start.
  ///
  /// - Returns: The last finite point with its status, converged or not; the layer decides whether an
  ///   unconverged solve is an error.
  /// - Throws: What the functions of the problem throw.
  func solve(_ problem: InnerProblem) throws(SolverError) -> InnerSolution
}

/// A point with the evidence for it.
public struct InnerSolution {
  /// x.
  public let value: Tensor
  /// How well it solves the problem; its history holds ‖F(x)‖.
  public let status: SolverStatus
  /// F₁ at the value, where the certificate has traced it: the layer's linear systems use it again.
  package let jacobian: LinearOperator?

  /// What a solver of one's own has found, and how well.
  public init(value: Tensor, status: SolverStatus) {
    self.init(value: value, status: status, jacobian: nil)
  }

  package init(value: Tensor, status: SolverStatus, jacobian: LinearOperator?) {
    self.value = value
    self.status = status
    self.jacobian = jacobian
  }
}
