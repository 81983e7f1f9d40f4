/// Two-stage least squares: the estimates of an instrumental-variable regression, the ordinary
/// regression beside them, and the diagnostics.
///
/// With P the projection on the span of exogenous variables and instruments, the estimate solves
/// XᵀP(y - Xβ) = 0. Standard errors use the residuals y - Xβ and the projected regressors PX, and
/// are not adjusted for small samples: variances divide by n and tests use the normal distribution,
/// as in the Python package linearmodels. Reference: Wooldridge, *Econometric Analysis of Cross
/// Section and Panel Data*, 2nd edition, chapter 5.
public struct TwoStageLeastSquares: Sendable {
  /// The model that was estimated.
  public let model: InstrumentalModel

  /// How the covariance was computed.
  public let covarianceType: CovarianceType

  /// The instrumental-variable estimates.
  public let estimates: LinearFit

  /// The same regression by ordinary least squares, which is inconsistent if the endogenous
  /// variables are.
  public let ordinary: LinearFit

  /// The strength of the instruments, one per endogenous variable.
  public let firstStages: [FirstStage]

  /// The test whether the endogenous variables are exogenous.
  public let wuHausman: TestResult

  /// The test whether superfluous instruments agree.
  public let sargan: TestResult

  /// Estimates a model.
  ///
  /// - Throws: `ModelError.notIdentified` if the instruments do not move the endogenous variables
  ///   independently, `ModelError.notFinite` if the arithmetic fails.
  public init(_ model: InstrumentalModel, covariance: CovarianceType) throws(ModelError) {
    let fitted = model.endogenous.map { model.instrumentQR.projection($0.values) }
    let projected = PivotedQR(
      model.exogenous.map(\.values) + fitted, scaledBy: model.regressors.map(\.values))
    guard projected.rank == projected.columnCount else {
      throw .notIdentified(names: model.endogenous.map(\.name))
    }
    let ordinaryQR = PivotedQR(model.regressors.map(\.values))
    self.model = model
    covarianceType = covariance
    estimates = try LinearFit(
      model.regressors, projected: projected, outcome: model.outcome.values,
      covariance: covariance)
    ordinary = try LinearFit(
      model.regressors, projected: ordinaryQR, outcome: model.outcome.values,
      covariance: covariance)
    var stages: [FirstStage] = []
    for index in model.endogenous.indices {
      stages.append(try FirstStage(of: index, in: model, covariance: covariance))
    }
    firstStages = stages
    wuHausman = Econometrics.wuHausman(model, ordinaryResiduals: ordinary.residuals)
    sargan = Econometrics.sargan(model, residuals: estimates.residuals)
  }
}
