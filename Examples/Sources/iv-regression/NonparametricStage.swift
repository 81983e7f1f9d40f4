import Econometrics
import ExampleSupport
import Inference
import OrthogonalRegression

/// The same regression with a nonparametric first stage, or the `reason` why there is none.
struct NonparametricStage: Encodable {
  let parameters: [String: Double]?
  let standardErrors: [String: Double]?
  let confidenceIntervals: [String: [Double]]?
  let firstStage: [FirstStageStrength]?
  let learner: String?
  let warnings: [String]
  let reason: String?

  /// Rows from which cross-fitted regressions mean anything, and up to which they take seconds.
  private static let rowCounts = 100...20_000

  /// Kernel ridge regressions on five folds; the exogenous variables act linearly, as in two-stage
  /// least squares.
  init(_ sample: InstrumentalModel, seed: UInt64) {
    guard Self.rowCounts.contains(sample.observationCount) else {
      self.init(
        reason: "cross-fitting is done here for \(Numbers.count(Self.rowCounts.lowerBound)) to "
          + "\(Numbers.count(Self.rowCounts.upperBound)) rows, found "
          + "\(Numbers.count(sample.observationCount)); see 'bilevel-inference estimate'")
      return
    }
    var regression = OrthogonalIV()
    regression.crossFitting.seed = seed
    do {
      self.init(try regression.fit(sample), learner: regression.learner.nuisances.name)
    } catch {
      self.init(reason: "\(error)")
    }
  }

  private init(_ fit: OrthogonalIVFit, learner: String) {
    let report = fit.coefficients.report()
    func keyed<Value>(_ values: [Value]) -> [String: Value] {
      Dictionary(uniqueKeysWithValues: zip(report.names, values))
    }
    parameters = keyed(report.values)
    standardErrors = keyed(report.standardErrors)
    confidenceIntervals = keyed(zip(report.lower, report.upper).map { [$0, $1] })
    firstStage = fit.strengths
    self.learner = learner
    warnings = fit.warnings
    reason = nil
  }

  private init(reason: String) {
    (parameters, standardErrors, confidenceIntervals, firstStage) = (nil, nil, nil, nil)
    (learner, warnings) = (nil, [])
    self.reason = reason
  }
}
