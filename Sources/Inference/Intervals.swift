import Autodiff

/// Confidence intervals for the coordinates of an estimate.
public struct Intervals: Sendable {
  /// What the level is the probability of.
  public enum Kind: String, Sendable, Codable {
    /// Each interval by itself covers its coordinate with this probability.
    case pointwise
    /// All intervals together cover all coordinates with this probability.
    case simultaneous
  }

  /// The lower ends, [d].
  public let lower: Tensor

  /// The upper ends, [d].
  public let upper: Tensor

  /// The probability of coverage.
  public let level: Double

  /// Whether that probability is for each coordinate or for all together.
  public let kind: Kind

  /// How many standard errors an end lies from the estimate.
  public let criticalValue: Double

  init(_ estimate: Estimate, level: Double, kind: Kind, criticalValue: Double) {
    let half = criticalValue * estimate.standardErrors
    lower = estimate.value - half
    upper = estimate.value + half
    self.level = level
    self.kind = kind
    self.criticalValue = criticalValue
  }
}

extension Estimate {
  /// The Wald intervals θ̂ₖ ± z seₖ, where z is the normal quantile at (1 + level)/2.
  ///
  /// They are pointwise: of many intervals some will miss. See `simultaneousIntervals`.
  ///
  /// - Precondition: `level` lies between 0 and 1.
  public func intervals(level: Double = 0.95) -> Intervals {
    requireLevel(level, "Estimate.intervals")
    return Intervals(
      self, level: level, kind: .pointwise,
      criticalValue: -NormalDistribution.quantile(0.5 * (1 - level)))
  }

  /// The sup-t band θ̂ₖ ± c seₖ, which covers all coordinates together.
  ///
  /// c is the quantile of maxₖ |θ̂ₖ − θₖ| / seₖ as the multiplier bootstrap simulates it, so no longer
  /// than dependence between coordinates makes necessary (Montiel Olea and Plagborg-Møller,
  /// Simultaneous confidence bands, 2019).
  ///
  /// - Throws: `InferenceError` where no coordinate varies or the level takes more draws.
  /// - Precondition: `level` lies between 0 and 1.
  public func simultaneousIntervals(
    level: Double = 0.95, bootstrap: MultiplierBootstrap
  ) throws(InferenceError) -> Intervals {
    Intervals(
      self, level: level, kind: .simultaneous,
      criticalValue: try bootstrap.criticalValue(of: self, level: level))
  }
}
