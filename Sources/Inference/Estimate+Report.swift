import Autodiff

extension Estimate {
  /// The results of inference as plain numbers, for JSON and tables.
  public struct Report: Sendable, Codable, Equatable {
    /// The size of one sample.
    public struct Sample: Sendable, Codable, Equatable {
      /// The number of rows.
      public let rows: Int
      /// The number of clusters; nil where rows are independent.
      public let clusters: Int?
    }

    /// A name for each coordinate.
    public let names: [String]
    /// The estimated coordinates, in the order of the names.
    public let values: [Double]
    /// The standard errors; infinite where they are withheld.
    public let standardErrors: [Double]
    /// The z statistics of the hypotheses that a coordinate is 0; nil without variance.
    public let zStatistics: [Double?]
    /// The two-sided p-value of each hypothesis by itself; nil without variance.
    public let pValues: [Double?]
    /// The lower ends of the intervals; infinite where they are withheld.
    public let lower: [Double]
    /// The upper ends of the intervals; infinite where they are withheld.
    public let upper: [Double]
    /// The level of intervals and norm bound.
    public let level: Double
    /// Whether the level is that of each interval or of all together.
    public let intervalKind: Intervals.Kind
    /// How many standard errors an end lies from the estimate.
    public let criticalValue: Double
    /// The covariance, up to 50 coordinates.
    public let covariance: [[Double]]?
    /// The test that all coordinates are 0.
    public let jointTest: Statistic<JointTest>
    /// An upper confidence bound for the Euclidean norm.
    public let normBound: Statistic<Double>
    /// The samples the estimate rests on.
    public let samples: [Sample]
    /// Why all that rests on a normal distribution is withheld; nil where it is not.
    public let withheldReason: String?
  }

  /// The number of coordinates up to which a report holds the covariance.
  private static var covarianceLimit: Int { 50 }

  /// The number of coordinates up to which a report decomposes the covariance.
  private static var spectrumLimit: Int { 500 }

  /// The results of inference as plain numbers.
  ///
  /// - Parameters:
  ///   - level: The level of the norm bound and, unless they are given, of pointwise intervals.
  ///   - intervals: Intervals of this estimate, such as simultaneous ones.
  ///   - reason: Why the estimate is not near normal; then errors and intervals are infinite (null in
  ///     JSON), and there is no statistic, test or covariance. Nil to report all.
  public func report(
    level: Double = 0.95, intervals: Intervals? = nil, withholdingBecause reason: String? = nil
  ) -> Report {
    requireLevel(level, "Estimate.report")
    let intervals = intervals ?? self.intervals(level: level)
    guard intervals.lower.shape == value.shape else {
      stop(
        "Estimate.report",
        "expected intervals of this estimate, of shape \(value.shape), found "
          + "\(intervals.lower.shape). Take them from the estimate that is reported")
    }
    if let reason { return withheld(reason, intervals) }
    let tooMany =
      "\(count) coordinates are more than the \(Self.spectrumLimit) up to which reports decompose "
      + "the covariance; call jointTest() or normBound()"
    let isSmall = count <= Self.spectrumLimit
    let matrix = count <= Self.covarianceLimit ? covariance.scalars : nil
    return Report(
      names: names, values: value.scalars, standardErrors: standardErrors.scalars,
      zStatistics: zStatistics().scalars.map { $0.isNaN ? nil : $0 },
      pValues: pValues().scalars.map { $0.isNaN ? nil : $0 },
      lower: intervals.lower.scalars, upper: intervals.upper.scalars, level: intervals.level,
      intervalKind: intervals.kind, criticalValue: intervals.criticalValue,
      covariance: matrix.map { elements in
        (0..<count).map { Array(elements[($0 * count)..<(($0 + 1) * count)]) }
      },
      jointTest: isSmall ? jointTest() : .unavailable(reason: tooMany),
      normBound: isSmall
        ? boundStatistic(level: intervals.level) : .unavailable(reason: tooMany),
      samples: samples, withheldReason: nil)
  }

  private var samples: [Report.Sample] {
    influence.map {
      Report.Sample(rows: $0.count, clusters: $0.clusters == nil ? nil : $0.unitCount)
    }
  }

  private func withheld(_ reason: String, _ intervals: Intervals) -> Report {
    Report(
      names: names, values: value.scalars,
      standardErrors: Array(repeating: .infinity, count: count),
      zStatistics: Array(repeating: nil, count: count),
      pValues: Array(repeating: nil, count: count),
      lower: Array(repeating: -.infinity, count: count),
      upper: Array(repeating: .infinity, count: count), level: intervals.level,
      intervalKind: intervals.kind, criticalValue: intervals.criticalValue, covariance: nil,
      jointTest: .unavailable(reason: reason), normBound: .unavailable(reason: reason),
      samples: samples, withheldReason: reason)
  }

  /// JSON has no infinity.
  private func boundStatistic(level: Double) -> Statistic<Double> {
    let bound = normBound(level: level)
    return bound.isFinite ? .value(bound) : .unavailable(reason: "the covariance overflows")
  }
}
