import Autodiff
import Inference

/// How strongly the instruments move one endogenous variable, in the regression of that variable on
/// the exogenous variables and the instruments.
public struct FirstStage: Sendable, Codable {
  /// The F statistic of the hypothesis that no instrument matters.
  ///
  /// It has the usual degrees of freedom, and is homoskedastic, or with robust standard errors
  /// heteroskedasticity-robust (HC1), where rows are clustered with the covariance of clusters and the
  /// number of clusters less one below. Nil for the `reason`.
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
  /// to the homoskedastic `partialF` if there are no others; nil if they reproduce the variable
  /// exactly.
  public let conditionalF: Double?
  /// The F statistic for errors of equal variance, whatever the standard errors; nil if the
  /// instruments reproduce the variable exactly.
  public let homoskedasticF: Double?
  /// Whether `WeakIdentification` withholds statistics that rest on this first stage.
  public let isWeak: Bool
  /// Why there is no `partialF`: the instruments reproduce the variable exactly, or a robust variance
  /// means nothing because they rest on rows of leverage one.
  public let reason: String?

  /// How strongly the variable is identified, in units of F: the partial F, or the homoskedastic one
  /// where a robust one means nothing, and beside other endogenous variables at most the conditional
  /// F; infinite where the instruments reproduce the variable.
  ///
  /// - Parameter count: The number of endogenous variables.
  public func strength(of count: Int) -> Double {
    Self.strength(partialF ?? homoskedasticF, conditionalF, of: count)
  }

  private static func strength(_ own: Double?, _ conditional: Double?, of count: Int) -> Double {
    min(own ?? .infinity, count > 1 ? conditional ?? .infinity : .infinity)
  }

  /// - Parameter model: Weighted.
  init(
    of index: Int, in model: InstrumentalModel, covariance: CovarianceType
  ) throws(ModelError) {
    let variable = model.endogenous[index]
    let instrumentCount = model.instruments.count
    let freedom = model.observationCount - model.exogenous.count - instrumentCount
    let left = model.exogenousQR.residual(variable.column)
    let residuals = model.instrumentQR.residual(variable.column)
    let explained = square(left - residuals).sum().scalar
    let isExact = Rounding.isNegligible(residuals, beside: variable.column)
    partialRSquared = explained / square(left).sum().scalar
    conditionalF = isExact ? nil : try Self.conditionalF(of: index, in: model, freedom: freedom)
    homoskedasticF =
      isExact ? nil : Self.fStatistic(of: variable.column, in: model, instrumentCount, freedom)
    degreesOfFreedom = [instrumentCount, model.clusterCount.map { $0 - 1 } ?? freedom]
    if isExact {
      (partialF, reason) = (nil, "the instruments reproduce \(variable.name) exactly")
    } else if covariance == .robust {
      switch try Self.robustWald(variable, left, residuals, in: model) {
      case .value(let wald):
        // The adjustments for small samples of HC1 and of its like for clusters.
        let rows = Double(model.observationCount)
        let adjustment =
          model.clusterCount.map {
            Double($0 - 1) / Double($0) * Double(freedom) / (rows - 1)
          } ?? Double(freedom) / rows
        (partialF, reason) = (wald / Double(instrumentCount) * adjustment, nil)
      case .unavailable(let why): (partialF, reason) = (nil, why)
      }
    } else {
      (partialF, reason) = (homoskedasticF, nil)
    }
    let (numerator, denominator) = (Double(degreesOfFreedom[0]), Double(degreesOfFreedom[1]))
    pValue = partialF.map {
      TestDistributions.fUpperTail($0, numerator: numerator, denominator: denominator)
    }
    isWeak = WeakIdentification.isWeak(
      Self.strength(partialF ?? homoskedasticF, conditionalF, of: model.endogenous.count))
  }

  /// Regresses the variable on the fitted values of the other endogenous ones, and tests the
  /// instruments in what is left; one degree of freedom is lost for each of the others.
  private static func conditionalF(
    of index: Int, in model: InstrumentalModel, freedom: Int
  ) throws(ModelError) -> Double? {
    var others = model.endogenous
    let variable = others.remove(at: index)
    guard !(model.exogenous + others).isEmpty else {
      return fStatistic(of: variable.column, in: model, model.instruments.count, freedom)
    }
    let projected = PivotedQR(
      model.exogenous.map(\.column) + others.map { model.instrumentQR.projection($0.column) })
    // The other variables are identified: the whole set is, or estimation has stopped before.
    let fit = try LinearFit(
      model.exogenous + others, projected: projected, outcome: variable.column, in: model,
      covariance: .unadjusted)
    guard model.instrumentQR.residual(fit.residuals).norm().scalar > fit.rounding else {
      return nil
    }
    return fStatistic(of: fit.residuals, in: model, model.instruments.count - others.count, freedom)
  }

  /// The F of what the instruments explain of a column, the exogenous variables taken out.
  private static func fStatistic(
    of column: Tensor, in model: InstrumentalModel, _ numerator: Int, _ freedom: Int
  ) -> Double {
    let residuals = model.instrumentQR.residual(column)
    let explained = square(model.exogenousQR.residual(column) - residuals).sum().scalar
    return explained / Double(numerator) / (square(residuals).sum().scalar / Double(freedom))
  }

  /// π̂ᵀ V⁻¹ π̂ of the instruments' coefficients with White's covariance (HC0), or that of clusters,
  /// computed in an orthonormal basis of the instruments with the exogenous variables taken out.
  ///
  /// - Parameters:
  ///   - left: The variable with the exogenous variables taken out.
  ///   - residuals: Of the first stage.
  private static func robustWald(
    _ variable: Variable, _ left: Tensor, _ residuals: Tensor, in model: InstrumentalModel
  ) throws(ModelError) -> Statistic<Double> {
    let partialled = PivotedQR(model.instruments.map { model.exogenousQR.residual($0.column) })
    let basis = model.instrumentQR.basis
    let subject = "the first stage of \(variable.name)"
    if let reason = try Saturation(basis, in: model)
      .reason(subject, restingOn: matmul(partialled.basis, basis, transposeA: true))
    {
      return .unavailable(reason: reason)
    }
    let units = model.clusterCount ?? model.observationCount
    guard units > partialled.rank else {
      return .unavailable(
        reason: "\(units) clusters give no covariance of \(partialled.rank) coefficients")
    }
    let scores = model.unitSums(partialled.basis * residuals.expandingShape(at: 1))
    let columns = (0..<partialled.rank).map { scores[0..., $0] }
    // Rounding of the residuals, or of the largest scores, tells the rank.
    let reference = maximum(
      scores.norm(alongAxis: 0).max(), Rounding.ofElements(variable.column) / PivotedQR.tolerance)
    let variance = PivotedQR(
      columns, scaledBy: columns.map { _ in reference.expandingShape(at: 0) })
    guard variance.rank == variance.columnCount else {
      return .unavailable(
        reason: "\(subject) leaves residuals that are rounding in some direction of the "
          + "instruments, so its robust variance is too")
    }
    let coordinates = partialled.coordinates(left)
    let inverse = variance.sandwich(.identity(variance.rank))
    return .value(dot(coordinates, matmul(inverse, coordinates)).scalar)
  }
}
