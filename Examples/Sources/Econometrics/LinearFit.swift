import Inference

/// How the covariance of the estimates is computed.
public enum CovarianceType: String, Sendable, CaseIterable, Codable {
  /// For errors of equal variance: s² (X̂ᵀX̂)⁻¹ with s² = eᵀe / n.
  case unadjusted

  /// For errors of any variance: (X̂ᵀX̂)⁻¹ X̂ᵀ diag(e²) X̂ (X̂ᵀX̂)⁻¹ (White 1980, HC0); where rows are
  /// clustered, of any dependence within a cluster too: (X̂ᵀX̂)⁻¹ Σ_g X̂_gᵀ e_g e_gᵀ X̂_g (X̂ᵀX̂)⁻¹.
  case robust
}

/// Estimates of a linear model with their covariance, none of it adjusted for small samples.
public struct LinearFit: Sendable {
  /// The names of the regressors.
  public let names: [String]

  /// The estimated coefficients β.
  public let parameters: [Double]

  /// The covariance matrix of the estimates, by columns; NaN where a coefficient has no variance
  /// that means anything.
  public let covariance: [[Double]]

  /// For each coefficient why it has no standard error, z statistic, p-value or interval.
  ///
  /// The residuals are rounding, or it rests on rows whose error a robust variance cannot see. Nil
  /// where it has them.
  public let unavailableReasons: [String?]

  /// y - X β.
  public let residuals: [Double]

  /// 1 - eᵀe / (total sum of squares), or nil if the outcome does not vary.
  ///
  /// The total is about the mean if the constant is in the span of X, about 0 otherwise. With
  /// instruments the figure can be negative.
  public let rSquared: Double?

  /// The length of the residuals that rounding alone can leave.
  let rounding: Double

  /// Why no statistic can be made of the residuals, which are rounding; nil where they are not.
  let exactReason: String?

  /// The square roots of the diagonal of `covariance`; NaN for none.
  public var standardErrors: [Double] { covariance.indices.map { covariance[$0][$0].squareRoot() } }

  /// The estimates divided by their standard errors; NaN for none.
  public var zStatistics: [Double] { zip(parameters, standardErrors).map { $0 / $1 } }

  /// Two-sided p-values of β = 0, by the normal distribution; NaN for none.
  public var pValues: [Double] { zStatistics.map(NormalDistribution.twoSidedPValue) }

  /// Intervals that cover the true coefficients with 95 % probability in large samples; all numbers
  /// where there is no standard error.
  public var confidenceIntervals: [ClosedRange<Double>] {
    let quantile = NormalDistribution.quantile(0.975)
    return zip(parameters, standardErrors).map { value, error in
      error.isNaN ? -.infinity...(.infinity) : value - quantile * error...value + quantile * error
    }
  }

  /// The index of a regressor.
  public func index(of name: String) -> Int? { names.firstIndex(of: name) }

  /// Estimates β from X̂ᵀ(y - Xβ) = 0, where X̂ is the projection of X on the instruments: two-stage
  /// least squares, and ordinary least squares when X̂ = X.
  ///
  /// - Parameter clusters: The cluster of every row, from 0, for a robust covariance.
  init(
    _ regressors: [Variable], projected: PivotedQR, outcome: [Double], covariance: CovarianceType,
    clusters: [Int]? = nil
  ) throws(ModelError) {
    let beta = projected.coefficients(outcome)
    var residuals = outcome
    for (variable, coefficient) in zip(regressors, beta) {
      for row in residuals.indices { residuals[row] -= coefficient * variable.values[row] }
    }
    let scores = ScoreCovariance(projected, residuals, covariance, clusters: clusters)
    let matrix = projected.sandwich(scores.matrix)
    guard beta.allSatisfy(\.isFinite), matrix.indices.allSatisfy({ matrix[$0][$0].isFinite })
    else { throw .notFinite }
    names = regressors.map(\.name)
    parameters = beta
    self.residuals = residuals
    rSquared = Self.rSquared(regressors, outcome: outcome, residuals: residuals)
    rounding = Rounding.ofResiduals(outcome, regressors, beta, projected)
    let isExact = dot(residuals, residuals).squareRoot() <= rounding
    exactReason =
      !isExact
      ? nil
      : rSquared == nil
        ? "the outcome does not vary, and the residuals are rounding"
        : "the regressors reproduce the outcome exactly, and the residuals are rounding"
    var reasons = [String?](repeating: exactReason, count: beta.count)
    if !isExact, covariance == .robust {
      reasons = try scores.reasons(names, variances: matrix, rounding: rounding)
    }
    unavailableReasons = reasons
    self.covariance = matrix.indices.map { column in
      matrix.indices.map { row in
        reasons[row] == nil && reasons[column] == nil ? matrix[column][row] : .nan
      }
    }
  }

  private static func rSquared(
    _ regressors: [Variable], outcome: [Double], residuals: [Double]
  ) -> Double? {
    let ones = [Double](repeating: 1, count: outcome.count)
    let left = PivotedQR(regressors.map(\.values)).residual(ones)
    let hasConstant = dot(left, left) <= 1e-18 * Double(outcome.count)
    let centre = hasConstant ? outcome.reduce(0, +) / Double(outcome.count) : 0
    let deviations = outcome.map { $0 - centre }
    let total = dot(deviations, deviations)
    let scale = outcome.map(abs).max() ?? 0
    // A total of the size of rounding errors means an outcome that does not vary.
    guard total > 1e-24 * scale * scale * Double(outcome.count) else { return nil }
    return 1 - dot(residuals, residuals) / total
  }
}
