import ExampleSupport
import Orthogonal
import Solvers

/// An error of the library about the data, with advice in terms of options.
struct EvaluationFailure: Error, CustomStringConvertible {
  let description: String

  /// Runs an evaluation.
  static func told<R>(_ body: () throws -> R) throws -> R {
    do {
      return try body()
    } catch SolverError.function(let error as OrthogonalError) {
      throw text(error).map { EvaluationFailure(description: $0) } ?? error
    }
  }

  /// Nil where the library's own advice can be followed.
  private static func text(_ error: OrthogonalError) -> String? {
    switch error {
    case .duplicatedRows(let count, let first, let second):
      """
      \(count == 1 ? "1 transition repeats" : "\(Numbers.count(count)) transitions repeat") another \
      one in all columns used (\(first + 1) and \(second + 1), counted from 1, are the first pair), and \
      copies in training and held-out folds make intervals too short. Remove copies, name the column of \
      their trajectory by --trajectory, or add --allow-duplicates where they are separate transitions
      """
    case .rootNotIdentified(let rank, let dimension, _):
      """
      the transitions tell only \(rank) of the \(dimension) coefficients of the action value apart, as \
      where actions or states do not occur. Use fewer features (--degree, --feature-count), or a \
      penalty (--ridge)
      """
    case .singularGram(let name, let rows):
      """
      the regressions of next features (\(name)) are singular on \(rows) transitions; use a smaller \
      --nuisance-degree, or --nuisances kernel
      """
    default: nil
    }
  }
}
