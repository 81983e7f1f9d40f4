import Inference

/// How strongly the instruments move one endogenous variable, in the regression of that variable on
/// the exogenous variables and the instruments.
public struct FirstStage: Sendable {
  /// The name of the endogenous variable.
  public let name: String

  /// The F statistic of the hypothesis that no instrument matters.
  ///
  /// It has the usual degrees of freedom, and is homoskedastic, or with robust standard errors
  /// heteroskedasticity-robust (HC1), where rows are clustered with the covariance of clusters and the
  /// number of clusters less one below. Nil for the reason of `unavailableReason`.
  public let partialF: Double?

  /// Why there is no `partialF`: the instruments reproduce the variable exactly, or a robust variance
  /// means nothing because they rest on rows of leverage one.
  public let unavailableReason: String?

  /// The F statistic for errors of equal variance, whatever the standard errors; nil if the
  /// instruments reproduce the variable exactly.
  public let homoskedasticF: Double?

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

  /// How strongly the variable is identified, in units of F: the partial F, or the homoskedastic one
  /// where a robust one means nothing, and beside other endogenous variables at most the conditional
  /// F; infinite where the instruments reproduce the variable.
  public let strength: Double

  /// Whether `WeakIdentification` withholds statistics that rest on this first stage.
  public var isWeak: Bool { WeakIdentification.isWeak(strength) }

  /// The values of the variable with the exogenous variables taken out.
  public let partialledVariable: [Double]

  /// The part of `partialledVariable` that the instruments explain.
  public let partialledFit: [Double]

  init(
    of index: Int, in model: InstrumentalModel, covariance: CovarianceType, clusters: [Int]?
  ) throws(ModelError) {
    let variable = model.endogenous[index]
    let instrumentCount = model.instruments.count
    let freedom = model.observationCount - model.exogenous.count - instrumentCount
    let left = model.exogenousQR.residual(variable.values)
    let residuals = model.instrumentQR.residual(variable.values)
    let fit = zip(left, residuals).map { $0 - $1 }
    let explained = dot(fit, fit)
    let unexplained = dot(residuals, residuals)
    let isExact = Rounding.isNegligible(unexplained, beside: variable.values)

    name = variable.name
    partialledVariable = left
    partialledFit = fit
    partialRSquared = explained / dot(left, left)
    conditionalF = isExact ? nil : try Self.conditionalF(of: index, in: model, freedom: freedom)
    homoskedasticF =
      isExact ? nil : explained / Double(instrumentCount) / (unexplained / Double(freedom))
    let unitCount = clusters.map { ($0.max() ?? 0) + 1 }
    degreesOfFreedom = [instrumentCount, unitCount.map { $0 - 1 } ?? freedom]
    if isExact {
      (partialF, unavailableReason) = (nil, "the instruments reproduce \(name) exactly")
    } else if covariance == .robust {
      switch try RobustFirstStage(model, variable, left, residuals, clusters).wald() {
      case .value(let wald):
        // The adjustments for small samples of HC1 and of its like for clusters.
        let (rows, units) = (Double(model.observationCount), Double(unitCount ?? 0))
        let adjustment =
          unitCount == nil
          ? Double(freedom) / rows : (units - 1) / units * Double(freedom) / (rows - 1)
        partialF = wald / Double(instrumentCount) * adjustment
        unavailableReason = nil
      case .unavailable(let reason): (partialF, unavailableReason) = (nil, reason)
      }
    } else {
      (partialF, unavailableReason) = (homoskedasticF, nil)
    }
    let own = partialF ?? homoskedasticF ?? .infinity
    strength = model.endogenous.count > 1 ? min(own, conditionalF ?? .infinity) : own
    let (numerator, denominator) = (Double(degreesOfFreedom[0]), Double(degreesOfFreedom[1]))
    pValue = partialF.map {
      TestDistributions.fUpperTail($0, numerator: numerator, denominator: denominator)
    }
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
    guard unexplained.squareRoot() > fit.rounding else { return nil }
    let numerator = Double(model.instruments.count - others.count)
    return dot(explained, explained) / numerator / (unexplained / Double(freedom))
  }
}

/// The robust Wald test that no instrument matters in a first stage.
private struct RobustFirstStage {
  private let model: InstrumentalModel
  private let variable: Variable
  private let left: [Double]
  private let residuals: [Double]
  private let clusters: [Int]?

  /// - Parameters:
  ///   - left: The variable with the exogenous variables taken out.
  ///   - residuals: Of the first stage.
  init(
    _ model: InstrumentalModel, _ variable: Variable, _ left: [Double], _ residuals: [Double],
    _ clusters: [Int]?
  ) {
    (self.model, self.variable, self.left) = (model, variable, left)
    (self.residuals, self.clusters) = (residuals, clusters)
  }

  /// π̂ᵀ V⁻¹ π̂ of the instruments' coefficients with White's covariance (HC0), or that of clusters,
  /// computed in an orthonormal basis of the instruments with the exogenous variables taken out.
  func wald() throws(ModelError) -> Statistic<Double> {
    let partialled = PivotedQR(model.instruments.map { model.exogenousQR.residual($0.values) })
    let columns = partialled.orthonormalColumns()
    let basis = model.instrumentQR.orthonormalColumns()
    let subject = "the first stage of \(variable.name)"
    if let reason = try Saturation(basis, clusters: clusters)
      .reason(subject, restingOn: columns.map { column in basis.map { dot($0, column) } })
    {
      return .unavailable(reason: reason)
    }
    let units = clusters.map { ($0.max() ?? 0) + 1 } ?? model.observationCount
    guard units > columns.count else {
      return .unavailable(
        reason: "\(units) clusters give no covariance of \(columns.count) coefficients")
    }
    let weighted = columns.map { column in
      ScoreCovariance.unitSums(zip(column, residuals).map { $0 * $1 }, clusters)
    }
    // Rounding of the residuals, or of the largest scores, tells the rank.
    let rounding = Rounding.ofElements(variable.values)
    let largest = weighted.map { dot($0, $0).squareRoot() }.max() ?? 0
    let reference = max(largest, rounding / PivotedQR.tolerance)
    let variance = PivotedQR(weighted, scaledBy: weighted.map { _ in [reference] })
    guard variance.rank == variance.columnCount else {
      return .unavailable(
        reason: "\(subject) leaves residuals that are rounding in some direction of the "
          + "instruments, so its robust variance is too")
    }
    let coordinates = partialled.coordinates(left)
    let identity = coordinates.indices.map { column in
      coordinates.indices.map { $0 == column ? 1.0 : 0.0 }
    }
    let inverse = variance.sandwich(identity)
    return .value(dot(coordinates, inverse.map { dot($0, coordinates) }))
  }
}
