import Autodiff
import Inference
import Orthogonal

/// The regression of two-stage least squares with a nonparametric first stage, or the `reason` why
/// there is none; without errors and intervals for the `withheldReason`.
public struct NonparametricStage: Codable, Sendable {
  /// The estimates by regressor; nil for the `reason`.
  public private(set) var parameters: [String: Double]?
  /// Nil, as are intervals, for the `withheldReason`.
  public private(set) var standardErrors: [String: Double]?
  /// Intervals of level 95 %.
  public private(set) var confidenceIntervals: [String: ClosedRange<Double>]?
  /// How well the instruments predict, out of fold.
  public private(set) var firstStage: [FirstStageStrength]?
  /// What the learner is, in words.
  public private(set) var learner: String?
  /// Folds of a split.
  public private(set) var folds: Int?
  /// Splits.
  public private(set) var splits: Int?
  /// What a reader must know before an interval is believed.
  public private(set) var warnings: [String] = []
  /// Why errors and intervals are not shown.
  public private(set) var withheldReason: String?
  /// Why there is nothing.
  public private(set) var reason: String?

  /// Rows from which cross-fitted regressions mean anything, and up to which they take seconds.
  private static let rowCounts = 100...20_000

  /// Kernel ridge regressions on five folds, the median of five splits; the exogenous variables act
  /// linearly, as in two-stage least squares.
  ///
  /// - Parameter allowsDuplicates: Whether rows that repeat others are separate observations.
  public init(_ model: InstrumentalModel, seed: UInt64, allowsDuplicates: Bool = false) {
    var regression = OrthogonalIV()
    regression.crossFitting = CrossFitting(foldCount: 5, repeatCount: 5, seed: seed)
    let copies = allowsDuplicates ? 0 : model.repeatedRowCount
    if !Self.rowCounts.contains(model.observationCount) {
      reason =
        "cross-fitting is done here for \(Numbers.count(Self.rowCounts.lowerBound)) to "
        + "\(Numbers.count(Self.rowCounts.upperBound)) rows, found "
        + "\(Numbers.count(model.observationCount)); see 'bilevel-inference estimate'"
    } else if !model.hasAddedConstant {
      reason = "the cross-fitted regressions always have a constant; omit --no-constant"
    } else if copies > 0 {
      reason =
        "\(copies == 1 ? "1 row repeats" : "\(Numbers.count(copies)) rows repeat") another "
        + "one in all columns used, and copies of one observation in training and held-out folds "
        + "make intervals too short; 'bilevel-inference estimate' takes --groups, or "
        + "--allow-duplicates where they are separate observations"
    } else {
      do { fill(try regression.fit(model), of: regression) } catch { reason = "\(error)" }
    }
  }

  private mutating func fill(_ fit: OrthogonalIVFit, of regression: OrthogonalIV) {
    let report = fit.coefficients.report()
    parameters = keyed(report.names, report.values)
    withheldReason = fit.withheldReason
    if withheldReason == nil {
      standardErrors = keyed(report.names, report.standardErrors)
      confidenceIntervals = keyed(report.names, zip(report.lower, report.upper).map { $0...$1 })
    }
    firstStage = fit.strengths
    learner = regression.learner.nuisances.name
    (folds, splits) = (regression.crossFitting.foldCount, regression.crossFitting.repeatCount)
    warnings = fit.warnings
  }

  /// The section of a summary.
  func summary(of endogenous: [String], seed: UInt64?) -> String {
    let title = "With a nonparametric first stage (OBiGrad: root of the orthogonal gradient)"
    guard let parameters else { return title + "\n" + wrapped("Not available: \(reason ?? "").") }
    var table = TextTable(header: ["", "estimate", "std. error", "95 % interval"])
    let isWeak = firstStage?.contains(where: \.isWeak) ?? false
    for name in endogenous {
      table.append([
        name, shown(parameters[name]), shown(standardErrors?[name]),
        bracket(
          confidenceIntervals?[name], orElse: "withheld" + (isWeak ? ": weak first stage" : "")),
      ])
    }
    let note = wrapped(
      "First stage by \(learner ?? ""), cross-fitted on \(folds ?? 0) folds, \(splits ?? 0) splits "
        + "(median)\(seed.map { ", seed \($0), \(LinearAlgebraBackend.description)" } ?? ""); robust to errors of any variance. "
        + "'bilevel-inference estimate' has learners, curves and a set that covers however weak the "
        + "instruments are.")
    return ([title, table.text(), note] + warnings.map { wrapped($0) }).joined(separator: "\n")
  }
}
