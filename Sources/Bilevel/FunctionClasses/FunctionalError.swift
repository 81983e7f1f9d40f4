import Autodiff
import Solvers

/// Why functional implicit differentiation does not apply; carried by `SolverError.function`.
public enum FunctionalError: Error, Equatable {
  /// The inner loss of one row depends on another row's output.
  case rowsInteract
  /// A second derivative of the inner loss is NaN or infinite.
  case curvatureNotFinite
  /// The inner loss is not strongly convex in the output; nil where only that is known.
  case notStronglyConvex(curvature: Double?)
  /// Features that are differentiated are linearly dependent on the inner sample, without a ridge.
  case dependentFeatures(count: Int, rank: Int)
  /// A pointwise adjoint was asked for at other points than those of the inner sample.
  case pointsDiffer(innerCount: Int, outerCount: Int)
  /// A pointwise adjoint was asked for where rows of the inner sample are the same point.
  case repeatedPoints(count: Int)
  /// Training left the finite numbers.
  case trainingNotFinite(level: String, step: Int, loss: Double, gradientNorm: Double)
}

extension FunctionalError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .rowsInteract:
      """
      FuncID: the inner loss of a row depends on the outputs of other rows, so its curvature is \
      not pointwise. Write the loss of each row as a function of that row alone, or use AID
      """
    case .curvatureNotFinite:
      """
      FuncID: the second derivative of the inner loss in the output is not finite. Check the loss \
      for a root or a logarithm at 0, and the labels for NaN
      """
    case .notStronglyConvex(let curvature):
      """
      FuncID: the inner loss is not strongly convex in the output\
      \(curvature.map { " (smallest curvature \(number($0)))" } ?? ""), so the solution need not \
      be unique. Add a term such as 1e-3 * square(v), or give the function class a ridge
      """
    case .dependentFeatures(let count, let rank):
      """
      FuncID: the \(count) features are differentiated, but have only \(rank) independent \
      directions on the inner sample, so the solution elsewhere is not unique and need not be \
      differentiable. Give the class a ridge, or use fewer features than rows
      """
    case .pointsDiffer(let inner, let outer):
      """
      FuncID: a pointwise adjoint lives on the rows of the inner sample (\(inner)), but the \
      solution was evaluated at other points (\(outer) rows). Evaluate it at the inner inputs, or \
      choose another adjoint
      """
    case .repeatedPoints(let count):
      """
      FuncID: \(count) rows of the inner sample repeat the inputs of another row, and a pointwise \
      adjoint would give one point several values. Merge them into one row with a weight, or \
      choose another adjoint
      """
    case .trainingNotFinite(let level, let step, let loss, let norm):
      """
      FuncID: the \(level) training left the finite numbers at step \(step) (loss \
      \(number(loss)), gradient norm \(number(norm))). Reduce its learning rate, or standardise \
      the inputs
      """
    }
  }
}
