import Inference

/// What a normal distribution says of one coefficient, as far as it may be shown.
public struct WaldStatistics: Sendable, Equatable {
  /// The standard error; nil where there is none that means anything.
  public let standardError: Double?
  /// The estimate divided by its standard error.
  public let z: Double?
  /// The two-sided p-value of the hypothesis that the coefficient is 0.
  public let pValue: Double?
  /// The interval.
  public let interval: ClosedRange<Double>?
  /// Why something is nil.
  public let reason: String?
}

extension LinearFit {
  /// What may be shown of a coefficient.
  ///
  /// - Parameters:
  ///   - level: Of the interval.
  ///   - weaknessReason: Why z, p and interval are withheld, of an instrumented fit that is weakly
  ///     identified.
  public func statistics(
    _ index: Int, level: Double = 0.95, weaknessReason: String? = nil
  ) -> WaldStatistics {
    let error = standardErrors[index]
    if let reason = unavailableReasons[index] ?? weaknessReason {
      return WaldStatistics(
        standardError: error.isNaN ? nil : error, z: nil, pValue: nil, interval: nil,
        reason: reason)
    }
    let half = NormalDistribution.quantile(0.5 + level / 2) * error
    let value = parameters[index]
    return WaldStatistics(
      standardError: error, z: zStatistics[index], pValue: pValues[index],
      interval: value - half...value + half, reason: nil)
  }
}

extension TwoStageLeastSquares {
  /// What may be shown of the instrumental-variable estimates, by the rule of `WeakIdentification`.
  public func statistics(level: Double = 0.95) -> [WaldStatistics] {
    estimates.names.indices.map {
      estimates.statistics($0, level: level, weaknessReason: weaknessReason)
    }
  }
}
