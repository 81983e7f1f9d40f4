import Autodiff

/// What rounding leaves of sums that would be 0.
enum Rounding {
  /// The length that rounding leaves of columns, in units of theirs.
  private static let share = 1e-12
  /// The relative error of a projected column.
  private static let unit = 1e-14

  /// Whether a column is of the size that rounding leaves of another one, that is, nothing.
  static func isNegligible(_ column: Tensor, beside values: Tensor) -> Bool {
    column.norm().scalar <= share * values.norm().scalar
  }

  /// The size that rounding leaves of single residuals of a column.
  static func ofElements(_ values: Tensor) -> Double {
    share * (square(values).mean().scalar).squareRoot()
  }

  /// The length of y − X β that rounding alone can leave: of the columns that are subtracted, and of
  /// β, whose error grows with the condition of the projected regressors.
  static func ofResiduals(
    _ outcome: Tensor, _ regressors: Tensor, _ beta: Tensor, _ projected: PivotedQR
  ) -> Double {
    let size = outcome.norm() + dot(abs(beta), regressors.norm(alongAxis: 0))
    return size.scalar * (share + unit * projected.amplification.reduce(0, +))
  }
}
