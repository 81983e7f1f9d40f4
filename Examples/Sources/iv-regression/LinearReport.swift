import Econometrics
import ExampleSupport
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
  /// The library of linear algebra and its threads, on which the rounding depends.
  let linearAlgebra = Repetition.linearAlgebra
  let n: Int
  let droppedRows: Int

  let parameters: [String: Double]
  /// Null, as are the next three, for the reason in `unavailable`.
  let standardErrors: [String: Double?]
  let zStatistics: [String: Double?]
  let pValues: [String: Double?]
  let confidenceIntervals: [String: [Double]?]
  /// Why statistics of a regressor are not shown.
  let unavailable: [String: String]
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
    let statistics = result.statistics()
    parameters = fit.keyed(fit.parameters)
    standardErrors = fit.keyed(statistics.map(\.standardError))
    zStatistics = fit.keyed(statistics.map(\.z))
    pValues = fit.keyed(statistics.map(\.pValue))
    confidenceIntervals = fit.keyed(statistics.map(\.ends))
    unavailable = fit.keyed(statistics.map(\.reason)).compactMapValues { $0 }
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
  let standardErrors: [String: Double?]
  let confidenceIntervals: [String: [Double]?]
  /// Why statistics of a regressor are not shown.
  let unavailable: [String: String]
  let rSquared: Double?

  init(_ fit: LinearFit) {
    let statistics = fit.names.indices.map { fit.statistics($0) }
    parameters = fit.keyed(fit.parameters)
    standardErrors = fit.keyed(statistics.map(\.standardError))
    confidenceIntervals = fit.keyed(statistics.map(\.ends))
    unavailable = fit.keyed(statistics.map(\.reason)).compactMapValues { $0 }
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
  let homoskedasticF: Double?
  /// Whether statistics of the estimates are withheld because of this first stage.
  let isWeak: Bool
  /// Why there is no partial F.
  let reason: String?

  init(_ stage: FirstStage) {
    partialF = stage.partialF
    degreesOfFreedom = stage.degreesOfFreedom
    pValue = stage.pValue
    partialRSquared = stage.partialRSquared
    conditionalF = stage.conditionalF
    homoskedasticF = stage.homoskedasticF
    isWeak = stage.isWeak
    reason = stage.unavailableReason
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

extension WaldStatistics {
  /// The ends of the interval.
  var ends: [Double]? { interval.map { [$0.lowerBound, $0.upperBound] } }
}

extension LinearFit {
  /// One value per regressor, by the regressor's name.
  func keyed<Value>(_ values: [Value]) -> [String: Value] {
    Dictionary(uniqueKeysWithValues: zip(names, values))
  }
}
