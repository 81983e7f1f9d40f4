/// The covariance of the scores X̂ᵀe in an orthonormal basis Q of X̂, and what it cannot say.
struct ScoreCovariance {
  /// Qᵀ Ω Q with the variances that the covariance type takes, by columns.
  let matrix: [[Double]]

  private let projected: PivotedQR
  private let clusters: [Int]?

  init(
    _ projected: PivotedQR, _ residuals: [Double], _ covariance: CovarianceType, clusters: [Int]?
  ) {
    self.projected = projected
    self.clusters = clusters
    let indices = 0..<projected.rank
    switch covariance {
    case .unadjusted:
      let variance = dot(residuals, residuals) / Double(residuals.count)
      matrix = indices.map { column in indices.map { $0 == column ? variance : 0 } }
    case .robust:
      let weighted = projected.orthonormalColumns().map {
        Self.unitSums(zip($0, residuals).map { $0 * $1 }, clusters)
      }
      matrix = indices.map { column in indices.map { dot(weighted[$0], weighted[column]) } }
    }
  }

  /// Sums over the independent units: over clusters, or the rows themselves.
  static func unitSums(_ rows: [Double], _ clusters: [Int]?) -> [Double] {
    guard let clusters else { return rows }
    var sums = [Double](repeating: 0, count: (clusters.max() ?? -1) + 1)
    for (row, cluster) in clusters.enumerated() { sums[cluster] += rows[row] }
    return sums
  }

  /// Why the robust variance of each coefficient means nothing, or nil.
  ///
  /// - Parameters:
  ///   - variances: The covariance of the coefficients, by columns.
  ///   - rounding: The length of residuals that are rounding.
  func reasons(
    _ names: [String], variances: [[Double]], rounding: Double
  ) throws(ModelError) -> [String?] {
    let saturation = try Saturation(projected.orthonormalColumns(), clusters: clusters)
    let weights = projected.coefficientWeights()
    let rowCount = Double(projected.rowCount)
    return names.indices.map { index in
      if let reason = saturation.reason(
        "the estimate of \(names[index])", restingOn: [weights[index]])
      {
        return reason
      }
      let least = rounding * rounding / rowCount * dot(weights[index], weights[index])
      return variances[index][index] > least
        ? nil
        : "the residuals are rounding wherever the estimate of \(names[index]) comes from, so its "
          + "robust variance is too"
    }
  }
}
