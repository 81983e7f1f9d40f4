import Inference

/// A test statistic with its p-value, or why there is none.
public enum TestResult: Sendable, Equatable {
  /// The statistic with its degrees of freedom (two for an F statistic, one for χ²).
  case statistic(Double, degreesOfFreedom: [Int], pValue: Double)

  /// The test does not apply, for the reason given.
  case unavailable(reason: String)
}

/// The Wu–Hausman test of the hypothesis that the endogenous variables are exogenous, in which case
/// ordinary least squares is consistent and more precise.
///
/// The residuals of the first stages are added to the ordinary regression; the statistic is the F
/// of their coefficients, for errors of equal variance. References: Wu (1973), Hausman (1978).
func wuHausman(_ model: InstrumentalModel, ordinary: LinearFit) -> TestResult {
  let firstStageResiduals = model.endogenous.map { model.instrumentQR.residual($0.values) }
  let tested = model.endogenous.count
  let parameters = model.regressors.count
  let freedom = model.observationCount - parameters - tested
  guard freedom > 0 else {
    return .unavailable(reason: "there are too few rows to add the residuals of the first stages")
  }
  for (variable, residuals) in zip(model.endogenous, firstStageResiduals) {
    if Rounding.isNegligible(dot(residuals, residuals), beside: variable.values) {
      return .unavailable(
        reason: "the instruments reproduce \(variable.name) exactly, so it is exogenous as they are"
      )
    }
  }
  let augmented = PivotedQR(model.regressors.map(\.values) + firstStageResiduals)
  guard augmented.rank == parameters + tested else {
    return .unavailable(
      reason: "the residuals of the first stages are linearly dependent, because a combination of "
        + "the endogenous variables is reproduced exactly by the instruments")
  }
  if let reason = ordinary.exactReason { return .unavailable(reason: reason) }
  let residuals = augmented.residual(model.outcome.values)
  let before = dot(ordinary.residuals, ordinary.residuals)
  let after = dot(residuals, residuals)
  guard after.squareRoot() > ordinary.rounding else {
    return .unavailable(
      reason: "the regressors and the residuals of the first stages reproduce the outcome exactly")
  }
  let statistic = max(0, before - after) / Double(tested) / (after / Double(freedom))
  return .statistic(
    statistic, degreesOfFreedom: [tested, freedom],
    pValue: TestDistributions.fUpperTail(
      statistic, numerator: Double(tested), denominator: Double(freedom)))
}

/// The test of Sargan (1958) of the hypothesis that all instruments are valid, given that enough of
/// them are: n eᵀPe / eᵀe, for errors of equal variance.
func sargan(_ model: InstrumentalModel, _ fit: LinearFit) -> TestResult {
  let surplus = model.instruments.count - model.endogenous.count
  guard surplus > 0 else {
    return .unavailable(
      reason: "the model is just identified (as many instruments as endogenous variables), so no "
        + "instrument is left over to test")
  }
  if let reason = fit.exactReason { return .unavailable(reason: reason) }
  let total = dot(fit.residuals, fit.residuals)
  let projection = model.instrumentQR.projection(fit.residuals)
  let statistic = Double(model.observationCount) * dot(projection, projection) / total
  return .statistic(
    statistic, degreesOfFreedom: [surplus],
    pValue: TestDistributions.chiSquaredUpperTail(statistic, degrees: Double(surplus)))
}
