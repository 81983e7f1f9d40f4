import Autodiff
import Solvers

/// The solution h* of a functional problem: a function with the evidence for it.
public struct FunctionalSolution {
  /// How well the inner problem was solved, and every adjoint found so far.
  ///
  /// An adjoint is found in the pullback, once for each call of the solution.
  public let record: TrustRecord
  /// d.
  public let outputCount: Int
  private let evaluate: (Tensor) throws(SolverError) -> Tensor

  init(
    record: TrustRecord, outputCount: Int,
    evaluate: @escaping (Tensor) throws(SolverError) -> Tensor
  ) {
    self.record = record
    self.outputCount = outputCount
    self.evaluate = evaluate
  }

  /// h*(x), differentiable in the outer variables and in x.
  ///
  /// - Parameter x: [k, p], any points.
  /// - Returns: [k, d].
  public func callAsFunction(_ x: Tensor) throws(SolverError) -> Tensor { try evaluate(x) }
}
