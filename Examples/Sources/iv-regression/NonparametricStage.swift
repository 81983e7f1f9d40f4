import Econometrics
import ExampleSupport
import Inference
import Orthogonal
import OrthogonalRegression
import RegressionInput

/// The same regression with a nonparametric first stage, or the `reason` why there is none; without
/// errors and intervals for the `withheldReason`.
struct NonparametricStage: Encodable {
  let parameters: [String: Double]?
  let standardErrors: [String: Double]?
  let confidenceIntervals: [String: [Double]]?
  let firstStage: [FirstStageStrength]?
  let learner: String?
  let folds: Int?
  let splits: Int?
  let warnings: [String]
  let withheldReason: String?
  let reason: String?

  /// Whether a weak first stage is why errors and intervals are withheld.
  var isWeak: Bool { firstStage?.contains(where: \.isWeak) ?? false }

  /// Rows from which cross-fitted regressions mean anything, and up to which they take seconds.
  private static let rowCounts = 100...20_000

  /// Kernel ridge regressions on five folds; the exogenous variables act linearly, as in two-stage
  /// least squares.
  init(_ specification: RegressionSpecification, _ sample: InstrumentalModel, seed: UInt64) {
    guard Self.rowCounts.contains(sample.observationCount) else {
      self.init(
        reason: "cross-fitting is done here for \(Numbers.count(Self.rowCounts.lowerBound)) to "
          + "\(Numbers.count(Self.rowCounts.upperBound)) rows, found "
          + "\(Numbers.count(sample.observationCount)); see 'bilevel-inference estimate'")
      return
    }
    guard specification.addsConstant else {
      self.init(reason: "the cross-fitted regressions always have a constant; omit --no-constant")
      return
    }
    // The bundled rows are different men.
    let copies = specification.data == nil ? 0 : OrthogonalIV.repeatedRows(of: sample)
    guard copies == 0 else {
      self.init(
        reason: "\(copies == 1 ? "1 row repeats" : "\(Numbers.count(copies)) rows repeat") another "
          + "one in all columns used, and copies of one observation in training and held-out folds "
          + "make intervals too short; 'bilevel-inference estimate' takes --groups, or "
          + "--allow-duplicates where they are separate observations")
      return
    }
    var regression = OrthogonalIV()
    regression.crossFitting = CrossFitting(foldCount: 5, repeatCount: 5, seed: seed)
    do {
      self.init(try regression.fit(sample), of: regression)
    } catch {
      self.init(reason: "\(error)")
    }
  }

  private init(_ fit: OrthogonalIVFit, of regression: OrthogonalIV) {
    let report = fit.coefficients.report()
    let isShown = fit.withheldReason == nil
    func keyed<Value>(_ values: [Value]) -> [String: Value] {
      Dictionary(uniqueKeysWithValues: zip(report.names, values))
    }
    parameters = keyed(report.values)
    standardErrors = isShown ? keyed(report.standardErrors) : nil
    confidenceIntervals = isShown ? keyed(zip(report.lower, report.upper).map { [$0, $1] }) : nil
    firstStage = fit.strengths
    learner = regression.learner.nuisances.name
    (folds, splits) = (regression.crossFitting.foldCount, regression.crossFitting.repeatCount)
    warnings = fit.warnings
    withheldReason = fit.withheldReason
    reason = nil
  }

  private init(reason: String) {
    (parameters, standardErrors, confidenceIntervals, firstStage) = (nil, nil, nil, nil)
    (learner, folds, splits, warnings, withheldReason) = (nil, nil, nil, [], nil)
    self.reason = reason
  }
}
