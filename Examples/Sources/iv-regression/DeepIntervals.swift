import Econometrics
import ExampleSupport
import Inference
import OrthogonalRegression

/// What `deep` says of intervals: average effects and curves, or the `reason` why there are none.
struct DeepIntervals: Encodable {
  /// The mean derivative by one endogenous variable.
  struct Effect: Encodable {
    let value: Double
    let standardError: Double
    let lower: Double
    let upper: Double
  }

  /// Rows on which the head was refitted.
  let rows: Int?
  /// The condition number of the refitted head.
  let headCondition: Double?
  let averageEffects: [String: Effect]?
  /// On simulated data, the share of plotted points at which the pointwise interval holds the true
  /// structural function.
  let coverageOfTruth: Double?
  let reason: String?
  /// The plotted curves, in the order of the panels.
  let curves: [StructuralCurve]

  private enum CodingKeys: CodingKey {
    case rows, headCondition, averageEffects, coverageOfTruth, reason
  }

  /// Whether errors of rounding decide what the refitted head is.
  ///
  /// Training multiplies the rounding of float32 until features are known to a few digits only: on the
  /// simulated design, other libraries move a head of condition 4 by a fraction of its standard error
  /// and one of condition 1,000 by several times its value.
  var hangsOnRounding: Bool { (headCondition ?? 0) > 100 }

  /// Intervals, or the reason why there are none.
  static func of(_ fit: DeepFit, _ result: DeepFit.Result, lines: [DeepLine]) -> DeepIntervals {
    do {
      return try DeepIntervals(DeepInference(fit, result), lines, seed: fit.seed)
    } catch {
      return DeepIntervals(reason: "\(error)")
    }
  }

  /// None, because statistics of the estimate would not mean what they say.
  init(withheldBecause reason: String) { self.init(reason: reason) }

  private init(reason: String) {
    (rows, headCondition, averageEffects, coverageOfTruth, curves) = (nil, nil, nil, nil, [])
    self.reason = reason
  }

  private init(_ inference: DeepInference, _ lines: [DeepLine], seed: UInt64) throws {
    let report = try inference.averageEffects().report()
    rows = inference.rowCount
    headCondition = inference.condition
    averageEffects = Dictionary(
      uniqueKeysWithValues: report.names.indices.map { index in
        (
          report.names[index],
          Effect(
            value: report.values[index], standardError: report.standardErrors[index],
            lower: report.lower[index], upper: report.upper[index])
        )
      })
    // One band over all curves of the plot.
    let all = try StructuralCurve(
      of: "", at: lines.flatMap(\.points),
      .stacked(try lines.map { try inference.structuralFunction(at: $0.columns) }), level: 0.95,
      seed: seed)
    var start = 0
    curves = lines.map { line in
      defer { start += line.points.count }
      return all[start..<start + line.points.count, line.name]
    }
    let truth = lines.compactMap(\.truth).flatMap { $0 }
    let covered = zip(all.pointwise, truth).count { $0.contains($1) }
    coverageOfTruth = truth.isEmpty ? nil : Double(covered) / Double(truth.count)
    reason = nil
  }
}
