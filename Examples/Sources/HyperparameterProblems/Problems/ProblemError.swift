import ExampleSupport

/// Why a problem or its data cannot be used, and what to do.
public enum ProblemError: Error, Equatable, Sendable {
  /// The exact solution of the inner problem was not reached.
  case notSolved(residual: Double, scale: Double)

  /// The Jacobian of the inner problem has no inverse.
  case singularJacobian(reason: String)

  /// A classification needs two classes.
  case notTwoClasses(source: String, found: [Double])

  /// A file has too few rows that can be used.
  case tooFewRows(source: String, rows: Int, needed: Int)

  /// A file has no features.
  case noFeatures(source: String)

  /// Training and validation data have different numbers of features.
  case differentFeatures(training: String, count: Int, validation: String, otherCount: Int)

  /// A value of a CSV file is not finite.
  case notFinite(source: String, column: String)

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
      let shown = found.prefix(5).map { Numbers.short($0) }.joined(separator: ", ")
      return "\(source): the labels have \(Numbers.count(found.count)) different values (\(shown)"
        + "\(found.count > 5 ? ", …" : "")), but two classes were expected; keep the rows of two "
        + "classes, or use a regression"
    case .tooFewRows(let source, let rows, let needed):
      return "\(source): \(Numbers.count(rows)) rows can be used, but at least "
        + "\(Numbers.count(needed)) are needed; rows with omitted features or missing values are "
        + "dropped unless they are read as zeros"
    case .noFeatures(let source):
      return "\(source): there are no features; expected at least one besides the label"
    case .differentFeatures(let training, let count, let validation, let otherCount):
      return "\(training) has \(count) features and \(validation) has \(otherCount); give two "
        + "files with the same features"
    case .notFinite(let source, let column):
      return "\(source): column \"\(column)\" holds an infinite number; correct the field, or "
        + "leave it empty to drop the row"
    case .noPath(let reached, let wanted):
      return "gradient descent came no nearer to the solution than "
        + "\(Numbers.significant(reached)), and \(Numbers.significant(wanted)) is wanted; allow "
        + "more iterations, or choose larger penalties"
    }
  }
}
