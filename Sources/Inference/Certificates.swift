import Autodiff

/// What an estimated gradient says about moving against a direction.
public struct DescentCertificate: Sendable, Equatable, Codable {
  /// The estimated slope v·θ̂ along v.
  public let slope: Double

  /// Its standard error √(vᵀ Cov v).
  public let standardError: Double

  /// The lower confidence bound of the slope, v·θ̂ − z √(vᵀ Cov v).
  public let lowerBound: Double

  /// The one-sided level of the bound.
  public let level: Double

  /// Whether moving along −v decreases the function, at this level.
  public var isDescent: Bool { lowerBound > 0 }
}

extension Estimate {
  /// A one-sided test of descent along −v, where the estimate is that of a gradient.
  ///
  /// - Parameters:
  ///   - direction: v, [d], which must not depend on the same data, unless one accepts that a
  ///     direction chosen by the estimate makes the certificate optimistic.
  ///   - level: The probability that a certificate of this kind is right.
  /// - Complexity: O(n d).
  public func descentCertificate(along direction: Tensor, level: Double = 0.95)
    -> DescentCertificate
  {
    requireLevel(level, "Estimate.descentCertificate")
    guard direction.shape == value.shape else {
      stop(
        "Estimate.descentCertificate",
        "expected a direction of shape \(value.shape), found "
          + "\(direction.shape). Give an element for each coordinate")
    }
    let direction = direction.cast(to: .float64)
    let row = direction.expandingShape(at: 0)
    let variance = influence.reduce(0) { sum, part in
      sum + part.mapped(by: row).variance.sum().scalar
    }
    let slope = dot(direction, value).scalar
    let error = variance.squareRoot()
    return DescentCertificate(
      slope: slope, standardError: error,
      lowerBound: slope + NormalDistribution.quantile(1 - level) * error, level: level)
  }

  /// An upper confidence bound for ‖θ‖₂: ‖θ̂‖ + √(λ χ²), with λ the largest eigenvalue of the
  /// covariance and χ² the quantile with as many degrees of freedom as its rank.
  ///
  /// For a gradient it is the evidence of approximate stationarity. The bound is conservative. It is
  /// infinite where the covariance overflows.
  ///
  /// - Complexity: O(n d² + d³).
  public func normBound(level: Double = 0.95) -> Double {
    requireLevel(level, "Estimate.normBound")
    let size = value.norm().scalar
    guard let rank = try? CovarianceSpectrum(self).rank,
      let eigenvalues = try? symmetricEigenvalues(covariance)
    else { return .infinity }
    guard rank > 0 else { return size }
    let largest = max(0, eigenvalues.max().scalar)
    let quantile = TestDistributions.chiSquaredQuantile(level, degrees: Double(rank))
    return size + (largest * quantile).squareRoot()
  }
}
