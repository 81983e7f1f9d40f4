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

  /// The least strength of the first stages, see `FirstStage.strength`.
  public var strength: Double { firstStages.map(\.strength).min() ?? 0 }

  /// Why z statistics, p-values and intervals of the instrumental-variable estimates are not to be
  /// shown, by `WeakIdentification`; nil where the first stages are strong enough.
  public var weaknessReason: String? {
    firstStages.first { $0.isWeak }.map {
      WeakIdentification.reason(
        $0.name, firstStages.count > 1 ? "least partial or conditional F" : "partial F", $0.strength
      )
    }
  }

  /// Estimates a model.
  ///
  /// - Parameter clusters: A label for each row, for `.robust`: rows of one label may depend on each
  ///   other in any way. Nil where rows are independent.
  /// - Precondition: As many labels as rows; a robust covariance where there are any.
  /// - Throws: `ModelError.notIdentified` if the instruments do not move the endogenous variables
  ///   independently, `ModelError.notFinite` if the arithmetic fails.
  public init(
    _ model: InstrumentalModel, covariance: CovarianceType, clusters: [Int]? = nil
  ) throws(ModelError) {
    precondition(
      clusters.map { $0.count == model.observationCount && covariance == .robust } ?? true,
      "TwoStageLeastSquares: expected a label for each row and a robust covariance")
    let clusters = clusters.map(InstrumentalModel.numbered)
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
      covariance: covariance, clusters: clusters)
    ordinary = try LinearFit(
      model.regressors, projected: ordinaryQR, outcome: model.outcome.values,
      covariance: covariance, clusters: clusters)
    var stages: [FirstStage] = []
    for index in model.endogenous.indices {
      stages.append(
        try FirstStage(of: index, in: model, covariance: covariance, clusters: clusters))
    }
    firstStages = stages
    wuHausman = Econometrics.wuHausman(model, ordinary: ordinary)
    sargan = Econometrics.sargan(model, estimates)
  }
}
