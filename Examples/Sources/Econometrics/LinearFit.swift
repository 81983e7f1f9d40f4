import Inference

/// How the covariance of the estimates is computed.
public enum CovarianceType: String, Sendable, CaseIterable, Codable {
  /// For errors of equal variance: s² (X̂ᵀX̂)⁻¹ with s² = eᵀe / n.
  case unadjusted

  /// For errors of any variance: (X̂ᵀX̂)⁻¹ X̂ᵀ diag(e²) X̂ (X̂ᵀX̂)⁻¹ (White 1980, HC0).
  case robust
}

/// Estimates of a linear model with their covariance, none of it adjusted for small samples.
public struct LinearFit: Sendable {
  /// The names of the regressors.
  public let names: [String]

  /// The estimated coefficients β.
  public let parameters: [Double]

  /// The covariance matrix of the estimates, by columns.
  public let covariance: [[Double]]

  /// y - X β.
  public let residuals: [Double]

  /// 1 - eᵀe / (total sum of squares), or nil if the outcome does not vary.
  ///
  /// The total is about the mean if the constant is in the span of X, about 0 otherwise. With
  /// instruments the figure can be negative.
  public let rSquared: Double?

  /// The square roots of the diagonal of `covariance`.
  public var standardErrors: [Double] { covariance.indices.map { covariance[$0][$0].squareRoot() } }

  /// The estimates divided by their standard errors.
  public var zStatistics: [Double] { zip(parameters, standardErrors).map { $0 / $1 } }

  /// Two-sided p-values of β = 0, by the normal distribution.
  public var pValues: [Double] { zStatistics.map(NormalDistribution.twoSidedPValue) }

  /// Intervals that cover the true coefficients with 95 % probability in large samples.
  public var confidenceIntervals: [ClosedRange<Double>] {
    let quantile = NormalDistribution.quantile(0.975)
    return zip(parameters, standardErrors).map { ($0 - quantile * $1)...($0 + quantile * $1) }
  }

  /// The index of a regressor.
  public func index(of name: String) -> Int? { names.firstIndex(of: name) }

  /// Estimates β from X̂ᵀ(y - Xβ) = 0, where X̂ is the projection of X on the instruments: two-stage
  /// least squares, and ordinary least squares when X̂ = X.
  init(
    _ regressors: [Variable], projected: PivotedQR, outcome: [Double], covariance: CovarianceType
  ) throws(ModelError) {
    let beta = projected.coefficients(outcome)
    var residuals = outcome
    for (variable, coefficient) in zip(regressors, beta) {
      for row in residuals.indices { residuals[row] -= coefficient * variable.values[row] }
    }
    names = regressors.map(\.name)
    parameters = beta
    self.residuals = residuals
    self.covariance = projected.sandwich(Self.middle(projected, residuals, covariance))
    rSquared = Self.rSquared(regressors, outcome: outcome, residuals: residuals)
    guard parameters.allSatisfy(\.isFinite), standardErrors.allSatisfy(\.isFinite) else {
      throw .notFinite
    }
  }

  /// Qᵀ diag(σ²) Q for the orthonormal basis Q of X̂, with the variances the covariance type takes.
  private static func middle(
    _ projected: PivotedQR, _ residuals: [Double], _ covariance: CovarianceType
  ) -> [[Double]] {
    let indices = 0..<projected.rank
    switch covariance {
    case .unadjusted:
      let variance = dot(residuals, residuals) / Double(residuals.count)
      return indices.map { column in indices.map { $0 == column ? variance : 0 } }
    case .robust:
      let weighted = projected.orthonormalColumns().map { column in
        zip(column, residuals).map { $0 * $1 }
      }
      return indices.map { column in indices.map { dot(weighted[$0], weighted[column]) } }
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
