import Econometrics
import RegressionInput

/// What `linear` writes with `--json`; per-regressor results are keyed by column name.
struct LinearReport: Encodable {
  let data: String
  let outcome: String
  let endogenous: [String]
  let instruments: [String]
  let exogenous: [String]
  let constant: Bool
  let covariance: CovarianceType
  let seed: UInt64
  let n: Int
  let droppedRows: Int

  let parameters: [String: Double]
  let standardErrors: [String: Double]
  let zStatistics: [String: Double]
  let pValues: [String: Double]
  let confidenceIntervals: [String: [Double]]
  let rSquared: Double?
  let ordinaryLeastSquares: OrdinaryReport
  let nonparametricFirstStage: NonparametricStage
  let firstStage: [String: FirstStageReport]
  let diagnostics: DiagnosticsReport

  init(
    _ specification: RegressionSpecification, _ sample: RegressionSample,
    _ result: TwoStageLeastSquares, _ nonparametric: NonparametricStage, seed: UInt64
  ) {
    data = sample.source
    outcome = specification.outcome
    endogenous = specification.endogenous
    instruments = specification.instruments
    exogenous = specification.exogenous
    constant = specification.addsConstant
    covariance = specification.covariance
    self.seed = seed
    n = sample.model.observationCount
    droppedRows = sample.droppedRows.count

    let fit = result.estimates
    parameters = fit.keyed(fit.parameters)
    standardErrors = fit.keyed(fit.standardErrors)
    zStatistics = fit.keyed(fit.zStatistics)
    pValues = fit.keyed(fit.pValues)
    confidenceIntervals = fit.keyed(
      fit.confidenceIntervals.map { [$0.lowerBound, $0.upperBound] })
    rSquared = fit.rSquared
    nonparametricFirstStage = nonparametric
    ordinaryLeastSquares = OrdinaryReport(result.ordinary)
    firstStage = Dictionary(
      uniqueKeysWithValues: result.firstStages.map { ($0.name, FirstStageReport($0)) })
    diagnostics = DiagnosticsReport(
      wuHausman: TestReport(result.wuHausman), sargan: TestReport(result.sargan))
  }
}

/// The same regression without instruments.
struct OrdinaryReport: Encodable {
  let parameters: [String: Double]
  let standardErrors: [String: Double]
  let confidenceIntervals: [String: [Double]]
  let rSquared: Double?

  init(_ fit: LinearFit) {
    parameters = fit.keyed(fit.parameters)
    standardErrors = fit.keyed(fit.standardErrors)
    confidenceIntervals = fit.keyed(
      fit.confidenceIntervals.map { [$0.lowerBound, $0.upperBound] })
    rSquared = fit.rSquared
  }
}

/// The strength of the instruments for one endogenous variable.
struct FirstStageReport: Encodable {
  let partialF: Double?
  let degreesOfFreedom: [Int]
  let pValue: Double?
  let partialRSquared: Double
  let conditionalF: Double?

  init(_ stage: FirstStage) {
    partialF = stage.partialF
    degreesOfFreedom = stage.degreesOfFreedom
    pValue = stage.pValue
    partialRSquared = stage.partialRSquared
    conditionalF = stage.conditionalF
  }
}

/// The specification tests.
struct DiagnosticsReport: Encodable {
  let wuHausman: TestReport
  let sargan: TestReport
}

/// A test statistic, or the `reason` why there is none.
struct TestReport: Encodable {
  let statistic: Double?
  let degreesOfFreedom: [Int]?
  let pValue: Double?
  let reason: String?

  init(_ result: TestResult) {
    switch result {
    case .statistic(let value, let degrees, let p):
      (statistic, degreesOfFreedom, pValue, reason) = (value, degrees, p, nil)
    case .unavailable(let why):
      (statistic, degreesOfFreedom, pValue, reason) = (nil, nil, nil, why)
    }
  }
}

extension LinearFit {
  /// One value per regressor, by the regressor's name.
  func keyed<Value>(_ values: [Value]) -> [String: Value] {
    Dictionary(uniqueKeysWithValues: zip(names, values))
  }
}
