import Autodiff

/// Two-stage least squares as plain numbers; per-regressor results are keyed by name.
public struct LinearEstimates: InstrumentalEstimates {
  /// Whether a constant was added.
  public let constant: Bool
  /// How the covariance was computed.
  public let covariance: CovarianceType
  /// Of the splits of the nonparametric first stage.
  public let seed: UInt64?
  /// The library of linear algebra and its threads, on which the rounding depends.
  public let linearAlgebra: String
  /// The estimates.
  public let parameters: [String: Double]
  /// Nil, as are the next three, for the reason in `unavailable`.
  public let standardErrors: [String: Double?]
  /// The estimates divided by their standard errors.
  public let zStatistics: [String: Double?]
  /// The two-sided p-values of the hypotheses that a coefficient is 0.
  public let pValues: [String: Double?]
  /// Intervals of level 95 %.
  public let confidenceIntervals: [String: ClosedRange<Double>?]
  /// Why statistics of a regressor are not shown.
  public let unavailable: [String: String]
  /// See `LinearFit.rSquared`.
  public let rSquared: Double?
  /// The same regression without instruments.
  public let ordinaryLeastSquares: Ordinary
  /// The same regression with a nonparametric first stage.
  public let nonparametricFirstStage: NonparametricStage?
  /// The strength of the instruments by endogenous variable.
  public let firstStage: [String: FirstStage]
  /// The specification tests.
  public let diagnostics: Diagnostics

  /// A regression without instruments.
  public struct Ordinary: Codable, Sendable {
    /// The estimates.
    public let parameters: [String: Double]
    /// Nil, as are intervals, for the reason in `unavailable`.
    public let standardErrors: [String: Double?]
    /// Intervals of level 95 %.
    public let confidenceIntervals: [String: ClosedRange<Double>?]
    /// Why statistics of a regressor are not shown.
    public let unavailable: [String: String]
    /// See `LinearFit.rSquared`.
    public let rSquared: Double?

    init(_ fit: LinearFit) {
      let columns = fit.coefficients()
      parameters = columns.keyed(\.value)
      standardErrors = columns.keyed(\.standardError)
      confidenceIntervals = columns.keyed(\.interval)
      unavailable = columns.keyed(\.reason).compactMapValues { $0 }
      rSquared = fit.rSquared
    }
  }

  /// The specification tests.
  public struct Diagnostics: Codable, Sendable {
    /// Whether the endogenous variables are exogenous.
    public let wuHausman: TestResult
    /// Whether superfluous instruments agree.
    public let sargan: TestResult
  }

  init(_ fit: TwoStageLeastSquares, _ nonparametric: NonparametricStage?, seed: UInt64?) {
    constant = fit.model.hasAddedConstant
    covariance = fit.covarianceType
    self.seed = seed
    linearAlgebra = LinearAlgebraBackend.description
    let columns = fit.coefficients()
    parameters = columns.keyed(\.value)
    standardErrors = columns.keyed(\.standardError)
    zStatistics = columns.keyed(\.z)
    pValues = columns.keyed(\.pValue)
    confidenceIntervals = columns.keyed(\.interval)
    unavailable = columns.keyed(\.reason).compactMapValues { $0 }
    rSquared = fit.estimates.rSquared
    ordinaryLeastSquares = Ordinary(fit.ordinary)
    nonparametricFirstStage = nonparametric
    firstStage = Econometrics.keyed(fit.model.endogenous.map(\.name), fit.firstStages)
    diagnostics = Diagnostics(wuHausman: fit.wuHausman, sargan: fit.sargan)
  }
}

extension TwoStageLeastSquares {
  /// The results with summary and JSON.
  ///
  /// - Parameters:
  ///   - stage: A nonparametric first stage to show beside them.
  ///   - seed: Of its splits.
  public func result(
    beside stage: NonparametricStage? = nil, seed: UInt64? = nil
  ) -> InstrumentalResult<LinearEstimates> {
    InstrumentalResult(model, LinearEstimates(self, stage, seed: seed))
  }
}

extension [Coefficient] {
  /// One value per regressor, by its name.
  func keyed<Value>(_ value: (Coefficient) -> Value) -> [String: Value] {
    Econometrics.keyed(map(\.name), map(value))
  }
}
