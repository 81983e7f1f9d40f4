import ExampleSupport
import TensorFiles

/// Why a problem or its data cannot be used, and what to do.
public enum ProblemError: Error, Equatable, Sendable {
  /// The exact solution of the inner problem was not reached.
  case notSolved(residual: Double, scale: Double)

  /// The Jacobian of the inner problem has no inverse.
  case singularJacobian(reason: String)

  /// A classification needs two classes.
  case notTwoClasses(source: String, found: [String])

  /// The validation rows have a class that the training rows do not have.
  case unknownClass(source: String, found: String, expected: [String])

  /// A file has too few rows that can be used.
  case tooFewRows(source: String, rows: Int, needed: Int)

  /// Too few rows are left for training or for validation.
  case tooFewParts(source: String, training: Int, validation: Int)

  /// A file has no features.
  case noFeatures(source: String)

  /// Training and validation data have different numbers of features.
  case differentFeatures(training: String, count: Int, validation: String, otherCount: Int)

  /// The columns of the validation file are not those of the training file.
  case differentColumns(training: String, validation: String, missing: [String], extra: [String])

  /// A column whose squares are no numbers of the machine.
  case extremeValues(source: String, column: String, size: Double)

  /// A value of a CSV file is not finite.
  case notFinite(at: TextPosition, found: String)

  /// Gradient descent left the finite numbers, or did not come near the solution.
  case noPath(reached: Double, wanted: Double)
}

extension ProblemError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .notSolved(let residual, let scale):
      return "the inner problem could not be solved to rounding: the residual is "
        + "\(Numbers.significant(residual)) beside terms of \(Numbers.significant(scale)); scale "
        + "the features, or choose larger penalties"
    case .singularJacobian(let reason):
      return "the inner problem has no unique solution: \(reason); choose larger penalties"
    case .notTwoClasses(let source, let found):
      let shown = found.prefix(5).joined(separator: ", ")
      let values = found.count == 1 ? "one value" : "\(Numbers.count(found.count)) different values"
      return "\(source): the labels have \(values) (\(shown)"
        + "\(found.count > 5 ? ", …" : "")), but two classes were expected; keep the rows of two "
        + "classes, or use a regression"
    case .unknownClass(let source, let found, let expected):
      return "\(source): the label \(found) is not one of the classes of the training rows, "
        + "\(expected.joined(separator: " and ")); use the same labels in both files"
    case .tooFewRows(let source, let rows, let needed):
      return "\(source): \(rows == 1 ? "1 row" : "\(Numbers.count(rows)) rows") can be used, but "
        + "at least \(Numbers.count(needed)) \(needed == 1 ? "is" : "are") needed; rows with a "
        + "missing value are dropped, and those that omit a feature if asked to"
    case .tooFewParts(let source, let training, let validation):
      return "\(source): \(training) \(training == 1 ? "row" : "rows") for training and "
        + "\(validation) for validation, but at least 5 and 2 are needed; give more rows"
    case .noFeatures(let source):
      return "\(source): there are no features; expected at least one besides the label"
    case .differentFeatures(let training, let count, let validation, let otherCount):
      return "\(training) has \(count) features and \(validation) has \(otherCount); give two "
        + "files with the same features"
    case .differentColumns(let training, let validation, let missing, let extra):
      let lists = [("missing", missing), ("not expected", extra)].filter { !$0.1.isEmpty }
        .map { "\($0.0): \($0.1.joined(separator: ", "))" }
      return "\(validation): the columns are not those of \(training); "
        + "\(lists.joined(separator: "; ")). Give both files the same columns, in any order"
    case .extremeValues(let source, let column, let size):
      return "\(source): the largest number of \"\(column)\" is \(Numbers.significant(size)), "
        + "beyond what its mean and standard deviation can be computed of; choose another unit"
    case .notFinite(let position, let found):
      return "\(position): the number is infinite (\"\(found)\"); correct the field, or leave it "
        + "empty to drop the row"
    case .noPath(let reached, let wanted):
      return "gradient descent came no nearer to the solution than "
        + "\(Numbers.significant(reached)), and \(Numbers.significant(wanted)) is wanted; allow "
        + "more iterations, or choose larger penalties"
    }
  }
}
