import Inference

/// How strongly the instruments move one endogenous variable, in the regression of that variable on
/// the exogenous variables and the instruments.
public struct FirstStage: Sendable {
  /// The name of the endogenous variable.
  public let name: String

  /// The F statistic of the hypothesis that no instrument matters.
  ///
  /// It has the usual degrees of freedom, and is homoskedastic, or heteroskedasticity-robust (HC1)
  /// with robust standard errors. Nil if the instruments reproduce the variable exactly.
  public let partialF: Double?

  /// The numerator and denominator degrees of freedom of `partialF`.
  public let degreesOfFreedom: [Int]

  /// The p-value of `partialF`.
  public let pValue: Double?

  /// The share of the variation left by the exogenous variables that the instruments explain.
  public let partialRSquared: Double

  /// The conditional F statistic of Sanderson and Windmeijer (2016).
  ///
  /// It asks whether the instruments move this variable apart from the other endogenous ones: equal
  /// to the
  /// homoskedastic `partialF` if there are no others; nil if they reproduce the variable exactly.
  public let conditionalF: Double?

  /// The values of the variable with the exogenous variables taken out.
  public let partialledVariable: [Double]

  /// The part of `partialledVariable` that the instruments explain.
  public let partialledFit: [Double]

  init(
    of index: Int, in model: InstrumentalModel, covariance: CovarianceType
  ) throws(ModelError) {
    let variable = model.endogenous[index]
    let instrumentCount = model.instruments.count
    let rows = model.observationCount
    let freedom = rows - model.exogenous.count - instrumentCount
    let left = model.exogenousQR.residual(variable.values)
    let residuals = model.instrumentQR.residual(variable.values)
    let fit = zip(left, residuals).map { $0 - $1 }
    let explained = dot(fit, fit)
    let unexplained = dot(residuals, residuals)
    let isExact = isNegligible(unexplained, beside: variable.values)

    name = variable.name
    partialledVariable = left
    partialledFit = fit
    partialRSquared = explained / dot(left, left)
    degreesOfFreedom = [instrumentCount, freedom]
    if isExact {
      partialF = nil
    } else if covariance == .robust {
      partialF =
        Self.robustWald(model, left, residuals) / Double(instrumentCount)
        * Double(freedom) / Double(rows)
    } else {
      partialF = explained / Double(instrumentCount) / (unexplained / Double(freedom))
    }
    pValue = partialF.map {
      TestDistributions.fUpperTail(
        $0, numerator: Double(instrumentCount), denominator: Double(freedom))
    }
    conditionalF = isExact ? nil : try Self.conditionalF(of: index, in: model, freedom: freedom)
  }

  /// The Wald statistic π̂ᵀ V⁻¹ π̂ of the instruments' coefficients with White's covariance (HC0),
  /// computed in an orthonormal basis of the instruments with the exogenous variables taken out.
  private static func robustWald(
    _ model: InstrumentalModel, _ left: [Double], _ residuals: [Double]
  ) -> Double {
    let partialled = PivotedQR(model.instruments.map { model.exogenousQR.residual($0.values) })
    let weighted = partialled.orthonormalColumns().map { column in
      zip(column, residuals).map { $0 * $1 }
    }
    let variance = PivotedQR(weighted)
    guard variance.rank == variance.columnCount else { return .infinity }
    let coordinates = partialled.coordinates(left)
    let identity = coordinates.indices.map { column in
      coordinates.indices.map { $0 == column ? 1.0 : 0.0 }
    }
    let inverse = variance.sandwich(identity)
    return dot(coordinates, inverse.map { dot($0, coordinates) })
  }

  /// Regresses the variable on the fitted values of the other endogenous ones, and tests the
  /// instruments in what is left; one degree of freedom is lost for each of the others.
  private static func conditionalF(
    of index: Int, in model: InstrumentalModel, freedom: Int
  ) throws(ModelError) -> Double? {
    var others = model.endogenous
    let variable = others.remove(at: index)
    let regressors = model.exogenous + others
    let projected = PivotedQR(
      model.exogenous.map(\.values) + others.map { model.instrumentQR.projection($0.values) })
    // The other variables are identified: the whole set is, or estimation has stopped before.
    let fit = try LinearFit(
      regressors, projected: projected, outcome: variable.values, covariance: .unadjusted)
    let left = model.exogenousQR.residual(fit.residuals)
    let residuals = model.instrumentQR.residual(fit.residuals)
    let explained = zip(left, residuals).map { $0 - $1 }
    let unexplained = dot(residuals, residuals)
    guard !isNegligible(unexplained, beside: variable.values) else { return nil }
    let numerator = Double(model.instruments.count - others.count)
    return dot(explained, explained) / numerator / (unexplained / Double(freedom))
  }
}
