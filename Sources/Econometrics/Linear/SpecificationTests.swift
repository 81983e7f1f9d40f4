import Autodiff
import Inference

/// A test statistic with its p-value, or the reason why there is none.
public struct TestResult: Sendable, Equatable, Codable {
  /// The statistic.
  public let statistic: Double?
  /// Two for an F statistic, one for χ².
  public let degreesOfFreedom: [Int]?
  /// The p-value.
  public let pValue: Double?
  /// Why the test does not apply.
  public let reason: String?

  init(_ statistic: Double, degreesOfFreedom degrees: [Int]) {
    self.statistic = statistic
    degreesOfFreedom = degrees
    pValue =
      degrees.count == 1
      ? TestDistributions.chiSquaredUpperTail(statistic, degrees: Double(degrees[0]))
      : TestDistributions.fUpperTail(
        statistic, numerator: Double(degrees[0]), denominator: Double(degrees[1]))
    reason = nil
  }

  init(unavailable reason: String) {
    (statistic, degreesOfFreedom, pValue, self.reason) = (nil, nil, nil, reason)
  }
}

extension TestResult {
  /// The Wu–Hausman test of the hypothesis that the endogenous variables are exogenous, in which case
  /// ordinary least squares is consistent and more precise.
  ///
  /// The residuals of the first stages are added to the ordinary regression; the statistic is the F
  /// of their coefficients, for errors of equal variance. References: Wu (1973), Hausman (1978).
  static func wuHausman(_ model: InstrumentalModel, ordinary: LinearFit) -> TestResult {
    let stages = model.endogenous.map { model.instrumentQR.residual($0.column) }
    let (tested, parameters) = (stages.count, model.regressors.count)
    let freedom = model.observationCount - parameters - tested
    guard freedom > 0 else {
      return TestResult(
        unavailable: "there are too few rows to add the residuals of the first stages")
    }
    for (variable, residuals) in zip(model.endogenous, stages)
    where Rounding.isNegligible(residuals, beside: variable.column) {
      return TestResult(
        unavailable: "the instruments reproduce \(variable.name) exactly, so it is exogenous as "
          + "they are")
    }
    let augmented = PivotedQR(model.regressors.map(\.column) + stages)
    guard augmented.rank == parameters + tested else {
      return TestResult(
        unavailable: "the residuals of the first stages are linearly dependent, because a "
          + "combination of the endogenous variables is reproduced exactly by the instruments")
    }
    if let reason = ordinary.exactReason { return TestResult(unavailable: reason) }
    let left = augmented.residual(model.outcome.column).norm().scalar
    guard left > ordinary.rounding else {
      return TestResult(
        unavailable: "the regressors and the residuals of the first stages reproduce the outcome "
          + "exactly")
    }
    let (before, after) = (square(ordinary.residuals).sum().scalar, left * left)
    return TestResult(
      max(0, before - after) / Double(tested) / (after / Double(freedom)),
      degreesOfFreedom: [tested, freedom])
  }

  /// The test of Sargan (1958) of the hypothesis that all instruments are valid, given that enough of
  /// them are: n eᵀPe / eᵀe, for errors of equal variance.
  static func sargan(_ model: InstrumentalModel, _ fit: LinearFit) -> TestResult {
    let surplus = model.instruments.count - model.endogenous.count
    guard surplus > 0 else {
      return TestResult(
        unavailable: "the model is just identified (as many instruments as endogenous variables), "
          + "so no instrument is left over to test")
    }
    if let reason = fit.exactReason { return TestResult(unavailable: reason) }
    let projection = model.instrumentQR.projection(fit.residuals)
    let share = square(projection).sum() / square(fit.residuals).sum()
    return TestResult(
      Double(model.observationCount) * share.scalar, degreesOfFreedom: [surplus])
  }
}
