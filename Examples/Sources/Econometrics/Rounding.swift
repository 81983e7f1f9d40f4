/// What rounding leaves of sums that would be 0.
enum Rounding {
  /// The length that rounding leaves of columns, in units of theirs.
  private static let share = 1e-12

  /// The relative error of a projected column.
  private static let unit = 1e-14

  /// Whether a sum of squares is of the size that rounding leaves of `values`, that is, nothing.
  static func isNegligible(_ sumOfSquares: Double, beside values: [Double]) -> Bool {
    sumOfSquares <= share * share * dot(values, values)
  }

  /// The size that rounding leaves of single residuals of a column.
  static func ofElements(_ values: [Double]) -> Double {
    share * (dot(values, values) / Double(values.count)).squareRoot()
  }

  /// The length of y − X β that rounding alone can leave: of the columns that are subtracted, and of
  /// β, whose error grows with the condition of the projected regressors.
  static func ofResiduals(
    _ outcome: [Double], _ regressors: [Variable], _ beta: [Double], _ projected: PivotedQR
  ) -> Double {
    let size = zip(regressors, beta).reduce(dot(outcome, outcome).squareRoot()) {
      $0 + abs($1.1) * dot($1.0.values, $1.0.values).squareRoot()
    }
    return size * (share + unit * projected.amplification.reduce(0, +))
  }
}
