import Autodiff

/// A method for A x = b.
///
/// A solver never fails silently and never decides what failure means: it returns what it has with
/// a status, and the layer throws or not.
public protocol LinearSolver: Sendable {
  /// The relative residual ‖b − A x‖ / ‖b‖ to reach; nil to let the layer match it to the accuracy
  /// of the inner solution.
  var tolerance: Double? { get }

  /// Solves A x = b.
  ///
  /// - Parameters:
  ///   - a: The matrix.
  ///   - b: [n].
  ///   - transposed: Whether to solve Aᵀ x = b instead.
  ///   - start: A guess; nil is zero.
  ///   - tolerance: The relative residual to reach.
  /// - Throws: What the operator throws.
  func solve(
    _ a: LinearOperator, _ b: Tensor, transposed: Bool, from start: Tensor?, tolerance: Double
  ) throws(BilevelError) -> LinearSolution
}

/// A vector with the evidence for it.
public struct LinearSolution: Sendable {
  /// x.
  public let value: Tensor
  /// How well it solves the system; its history holds ‖b − A x‖.
  public let status: SolverStatus

  /// A solution.
  public init(value: Tensor, status: SolverStatus) {
    self.value = value
    self.status = status
  }
}

extension LinearOperator {
  /// A v, or Aᵀ v.
  func product(_ v: Tensor, transposed: Bool) throws(BilevelError) -> Tensor {
    transposed ? try transposedProduct(v) : try self(v)
  }
}
