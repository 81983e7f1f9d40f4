import Inference

/// Average effects and curves of the refitted head, or the `reason` why there are none.
public struct DeepIntervals: Codable, Sendable {
  /// The mean derivative by one endogenous variable.
  public struct Effect: Codable, Sendable {
    /// The estimate.
    public let value: Double
    /// Its standard error.
    public let standardError: Double
    /// The ends of the interval of level 95 %.
    public let lower: Double
    public let upper: Double
  }

  /// Rows on which the head was refitted.
  public private(set) var rows: Int?
  /// The condition number of the refitted head.
  public private(set) var headCondition: Double?
  /// By endogenous variable.
  public private(set) var averageEffects: [String: Effect]?
  /// Where the true structural function is known, the share of points of the curves at which the
  /// pointwise interval holds it.
  public private(set) var coverageOfTruth: Double?
  /// Why there are none.
  public private(set) var reason: String?
  /// The curves, in the order of the lines; not in JSON.
  public private(set) var curves: [StructuralCurve] = []

  private enum CodingKeys: CodingKey {
    case rows, headCondition, averageEffects, coverageOfTruth, reason
  }

  /// Whether errors of rounding decide what the refitted head is.
  ///
  /// Training multiplies the rounding of float32 until features are known to a few digits only: on the
  /// simulated design, other libraries move a head of condition 4 by a fraction of its standard error
  /// and one of condition 1,000 by several times its value.
  public var hangsOnRounding: Bool { (headCondition ?? 0) > 100 }

  /// Intervals, unless statistics of the estimate would not mean what they say.
  init(_ fit: DeepIVFit, along lines: [StructuralLine]) {
    reason = fit.linear.weaknessReason
    guard reason == nil else { return }
    do { self = try DeepIntervals(RefittedHead(fit), lines, seed: fit.seed) } catch {
      reason = "\(error)"
    }
  }

  private init(_ head: RefittedHead, _ lines: [StructuralLine], seed: UInt64) throws {
    let report = try head.averageEffects().report()
    rows = head.rowCount
    headCondition = head.condition
    averageEffects = keyed(
      report.names,
      report.names.indices.map {
        Effect(
          value: report.values[$0], standardError: report.standardErrors[$0],
          lower: report.lower[$0], upper: report.upper[$0])
      })
    // One band over all curves.
    let all = try StructuralCurve(
      of: "", at: lines.flatMap(\.points),
      .stacked(try lines.map { try head.structuralFunction(at: $0.columns) }), level: 0.95,
      seed: seed)
    var start = 0
    curves = lines.map { line in
      defer { start += line.points.count }
      return all[start..<start + line.points.count, line.name]
    }
    let truth = lines.compactMap(\.truth).flatMap { $0 }
    coverageOfTruth = truth.isEmpty ? nil : all.coverage(of: truth)
  }
}
