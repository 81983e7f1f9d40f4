import Autodiff

/// Two-stage least squares: the estimates of an instrumental-variable regression, the ordinary
/// regression beside them, and the diagnostics.
///
///     let result = try TwoStageLeastSquares(model).result()
///     print(result)
///
/// With P the projection on the span of exogenous variables and instruments, the estimate solves
/// XᵀP(y − Xβ) = 0. Standard errors use the residuals y − Xβ and the projected regressors PX, and
/// are not adjusted for small samples: variances divide by n and tests use the normal distribution,
/// as in the Python package linearmodels. With weights w every sum over rows is Σ w. Reference:
/// Wooldridge, *Econometric Analysis of Cross Section and Panel Data*, 2nd edition, chapter 5.
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
  public var strength: Double {
    firstStages.map { $0.strength(of: firstStages.count) }.min() ?? 0
  }

  /// Why z statistics, p-values and intervals of the instrumental-variable estimates are not to be
  /// shown, by `WeakIdentification`; nil where the first stages are strong enough.
  public var weaknessReason: String? {
    firstStages.firstIndex { $0.isWeak }.map {
      WeakIdentification.reason(
        model.endogenous[$0].name,
        firstStages.count > 1 ? "least partial or conditional F" : "partial F",
        firstStages[$0].strength(of: firstStages.count))
    }
  }

  /// What may be shown of the instrumental-variable estimates, by the rule of `WeakIdentification`.
  public func coefficients(level: Double = 0.95) -> [Coefficient] {
    estimates.coefficients(level: level, weaknessReason: weaknessReason)
  }

  /// Estimates a model.
  ///
  /// - Throws: `ModelError.notIdentified` if the instruments do not move the endogenous variables
  ///   independently, `ModelError.unadjustedClusters` if rows are clustered and the covariance is not
  ///   robust, `ModelError.notFinite` if the arithmetic fails.
  public init(
    _ model: InstrumentalModel, covariance: CovarianceType = .robust
  ) throws(ModelError) {
    if model.clusters != nil, covariance != .robust { throw .unadjustedClusters }
    self.model = model
    covarianceType = covariance
    let model = model.weighted
    let columns = model.regressors.map(\.column)
    let fitted = model.endogenous.map { model.instrumentQR.projection($0.column) }
    let projected = PivotedQR(model.exogenous.map(\.column) + fitted, scaledBy: columns)
    guard projected.rank == projected.columnCount else {
      throw .notIdentified(names: model.endogenous.map(\.name))
    }
    func fit(_ projected: PivotedQR) throws(ModelError) -> LinearFit {
      try LinearFit(
        model.regressors, projected: projected, outcome: model.outcome.column, in: model,
        covariance: covariance)
    }
    estimates = try fit(projected)
    ordinary = try fit(PivotedQR(columns))
    var stages: [FirstStage] = []
    for index in model.endogenous.indices {
      stages.append(try FirstStage(of: index, in: model, covariance: covariance))
    }
    firstStages = stages
    wuHausman = .wuHausman(model, ordinary: ordinary)
    sargan = .sargan(model, estimates)
  }

  /// An endogenous variable with the exogenous variables taken out, and the part of it that the
  /// instruments explain; times √w with weights.
  public func partialled(_ index: Int) -> (variable: [Double], fit: [Double]) {
    let column = model.weighted.endogenous[index].column
    let left = model.exogenousQR.residual(column)
    return (left.scalars, (left - model.instrumentQR.residual(column)).scalars)
  }
}
