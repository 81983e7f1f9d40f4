import Autodiff
import Solvers

extension InnerProblem {
  /// The minimum of an objective.
  package static func minimum(
    startingAt start: Tensor, blocks: [VectorBlock]? = nil, of objective: @escaping VectorFunction
  ) throws -> InnerProblem {
    try InnerProblem(.minimum(objective), startingAt: start, blocks: blocks)
  }

  /// A root of F.
  package static func root(startingAt start: Tensor, of f: @escaping VectorFunction) throws
    -> InnerProblem
  {
    try InnerProblem(.root(f), startingAt: start)
  }

  /// A fixed point of T.
  package static func fixedPoint(
    startingAt start: Tensor, of map: @escaping VectorFunction
  ) throws -> InnerProblem {
    try InnerProblem(.fixedPoint(map), startingAt: start)
  }

  /// A minimum of ½‖r‖².
  package static func leastSquares(
    startingAt start: Tensor, of residuals: @escaping VectorFunction
  ) throws -> InnerProblem {
    try InnerProblem(.leastSquares(residuals), startingAt: start)
  }
}
