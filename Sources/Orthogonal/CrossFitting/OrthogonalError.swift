import Autodiff
import Solvers

/// Why an orthogonal hypergradient was not estimated; carried by `SolverError.function`.
public enum OrthogonalError: Error, Equatable {
  /// There are fewer rows, or groups of rows, than folds.
  case fewerUnitsThanFolds(unitCount: Int, foldCount: Int, areGroups: Bool)
  /// Given folds leave one of them empty, or there is only one.
  case emptyFold(count: Int, used: Int)
  /// Given folds hold rows of one group in two of them.
  case dividedGroup(group: Int)
  /// Something has another number of rows than the sample.
  case wrongRowCount(what: String, found: Int, expected: Int)
  /// A column has numbers that are not finite.
  case notFinite(what: String, row: Int, count: Int)
  /// A target takes one value only, so there is nothing to explain.
  case constantTarget(what: String, value: Double)
  /// Rows that are the same in all columns would be split over folds.
  case duplicatedRows(count: Int, first: Int, second: Int)
  /// The features of a nuisance class have a singular Gram matrix on a training fold.
  case singularGram(className: String, rowCount: Int)
  /// The mean derivative of the score is singular to rounding, so a root is not determined.
  case rootNotIdentified(rank: Int, dimension: Int, smallestSingularValue: Double)
  /// Iterations for a root ended without one.
  case rootNotFound(iterations: Int, gradientNorm: Double)
}

extension OrthogonalError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .fewerUnitsThanFolds(let units, let folds, let areGroups):
      """
      cross-fitting: \(units) \(areGroups ? "group" : "row")\(units == 1 ? "" : "s")\
      \(areGroups ? " of rows" : "") cannot fill \(folds) folds; \
      \(units < 2 ? "it takes at least 2; use more data" : "use at most \(units) folds, or more data")
      """
    case .emptyFold(let count, let used):
      """
      cross-fitting: the folds are numbered up to \(count - 1), but only \(used) of them have rows; \
      number them 0, 1, …, K − 1 with K ≥ 2 and leave none empty
      """
    case .dividedGroup(let group):
      """
      cross-fitting: the given folds divide group \(group), whose rows would train the nuisances \
      that score them; keep the rows of a group in one fold
      """
    case .wrongRowCount(let what, let found, let expected):
      "the \(what) have \(found) rows, but the sample has \(expected); give one for each row"
    case .notFinite(let what, let row, let count):
      """
      the \(what) are not finite in \(count) row\(count == 1 ? "" : "s"), the first of them row \
      \(row) (counted from 0); remove these rows or fill their gaps first
      """
    case .constantTarget(let what, let value):
      """
      the \(what) are \(number(value)) in every row, so there is nothing to estimate; check that \
      the right column was read
      """
    case .duplicatedRows(let count, let first, let second):
      """
      cross-fitting: \(count) row\(count == 1 ? "" : "s") repeat another one in all columns (rows \
      \(first) and \(second) are the first pair), and copies in training and held-out folds make \
      intervals too short. Remove copies, give copies of one unit the same group, or allow \
      duplicates where they are separate observations
      """
    case .singularGram(let name, let rows):
      """
      the Gram matrix of the nuisance class (\(name)) is singular on \(rows) training rows; \
      use fewer features, or a larger ridge
      """
    case .rootNotIdentified(let rank, let dimension, let smallest):
      """
      the mean derivative of the score has rank \(rank) in \(dimension) dimensions (smallest \
      singular value relative to the largest: \(number(smallest))), so no single root is \
      determined: the instruments do not tell some coefficients apart. Ask for fewer coefficients, or \
      add a penalty
      """
    case .rootNotFound(let iterations, let norm):
      """
      no root of the orthogonal gradient was found in \(iterations) iterations (its norm is \
      \(number(norm))); start nearer, or add a penalty
      """
    }
  }
}
