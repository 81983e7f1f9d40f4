import Autodiff
import Inference
import Orthogonal

/// Coefficients by the root of the orthogonal gradient, and how well they are identified.
public struct OrthogonalIVFit: Sendable {
  /// How they were estimated.
  public let regression: OrthogonalIV
  /// The model that was estimated.
  public let model: InstrumentalModel
  /// ω of the treatment features, then β of the exogenous variables with the constant; for a smooth
  /// g its mean alone.
  public let coefficients: Estimate
  /// How well each feature is predicted.
  public let strengths: [FirstStageStrength]
  /// The out-of-fold R² of the outcome.
  public let outcomeRSquared: Double
  /// The ratio of the smallest to the largest singular value of the mean derivative of the score, in
  /// units of the residual deviations of the features.
  public let conditioning: Double?
  /// Why nothing that supposes a normal distribution is to be shown of the coefficients.
  ///
  /// The first stage is weak by the rule of `WeakIdentification`, the residuals are rounding, or one
  /// row or cluster determines the estimate. Nil where it may be shown.
  public let withheldReason: String?
  /// The same for the coefficients of the exogenous variables, which may rest on single rows by
  /// themselves.
  public let exogenousWithheldReason: String?
  private let median: AffineFit
  private let partialled: PartialledModel

  init(
    _ regression: OrthogonalIV, _ model: InstrumentalModel, _ splits: [OrthogonalIVSplit],
    _ partialled: PartialledModel
  ) throws {
    let isSmooth = regression.exogenousForm == .smooth
    (self.regression, self.model, self.partialled) = (regression, model, partialled)
    let root =
      splits.count == 1 ? splits[0].root : try Estimate.medianAggregated(splits.map(\.root))
    coefficients = try partialled.coefficients(root, hasSmoothPart: isSmooth)
    let first = splits.map { $0.root.value.scalars[0] }
    let order = splits.indices.sorted { first[$0] < first[$1] }
    median = splits[order[(splits.count - 1) / 2]].affine
    conditioning = median.conditioning
    func mean(_ values: (OrthogonalIVSplit) -> Double) -> Double {
      splits.reduce(0) { $0 + values($1) } / Double(splits.count)
    }
    strengths = partialled.names.indices.map { index in
      FirstStageStrength(
        name: partialled.names[index], rowCount: partialled.rowCount,
        rSquared: mean { $0.rSquared[index] },
        rSquaredOfExogenous: mean { $0.rSquaredOfExogenous[index] },
        isExogenousTakenOut: isSmooth)
    }
    outcomeRSquared = mean { $0.rSquared[partialled.names.count] }
    withheldReason =
      Self.exactReason(splits) ?? strengths.lazy.compactMap(\.weaknessReason).first
      ?? Self.leverageReason(splits)
    exogenousWithheldReason =
      try withheldReason ?? (isSmooth ? nil : model.exogenousLeverageReason())
  }

  /// Residuals of this share of the outcome are rounding of the regressions.
  private static let rounding = 1e-10

  private static func exactReason(_ splits: [OrthogonalIVSplit]) -> String? {
    splits.contains { !($0.residualShare > rounding) }
      ? "the regressors reproduce the outcome exactly, and the residuals are rounding" : nil
  }

  private static func leverageReason(_ splits: [OrthogonalIVSplit]) -> String? {
    let leverages = splits.map { $0.affine.largestLeverage ?? .infinity }
    guard let largest = leverages.max(), !(largest < Leverage.limit) else { return nil }
    return "one row or group determines the estimate (a leverage of "
      + "\(Numbers.significant(largest))), so that a robust variance does not see its error"
  }

  /// The features of each endogenous variable.
  public var treatments: [TreatmentFeatures] { partialled.treatments }

  /// ω alone.
  public var effects: Estimate { coefficients.selected(Array(partialled.names.indices)) }

  /// What follows ω in the coefficients; nil where there is nothing.
  public var exogenous: Estimate? {
    let indices = partialled.names.count..<coefficients.count
    return indices.isEmpty ? nil : coefficients.selected(Array(indices))
  }

  /// What a reader must know before an interval is believed.
  public var warnings: [String] {
    var warnings = strengths.flatMap(\.warnings)
    if let withheldReason, !strengths.contains(where: \.isWeak) {
      warnings.append("Statistics are withheld: \(withheldReason).")
    }
    if let conditioning, conditioning < 1e-3 {
      warnings.append(
        "Badly conditioned: some combination of the features moves the gradient only "
          + "\(Numbers.significant(conditioning)) times as much as another one, so the instruments "
          + "hardly tell them apart; use fewer features.")
    }
    return warnings
  }

  /// The values of a single ω that a test does not reject however weak the instruments are; nil for
  /// several features.
  ///
  /// It inverts the test that the residual is uncorrelated with the cross-fitted instrument, with the
  /// exogenous variables taken out by least squares; it is unbounded where the instruments are too
  /// weak. Of several splits it is that of the one with the median estimate.
  public func robustSet(level: Double = 0.95) throws -> RobustSet? {
    guard median.dimension == 1 else { return nil }
    return RobustSet(try median.robustSet(level: level), scale: partialled.scales[0])
  }

  /// The structural function of one endogenous variable at points, all other variables at their
  /// means: an estimate whose simultaneous intervals are a band.
  public func structuralFunction(of index: Int, at points: [Double]) throws -> Estimate {
    func mean(_ column: Tensor) -> Double { column.mean().scalar }
    let means = zip(treatments, model.endogenous).map { features, variable in
      features.columns(variable.values).map(mean)
    }
    let isSmooth = regression.exogenousForm == .smooth
    let others = isSmooth ? [1] : partialled.exogenous.map { mean($0.column) }
    let rows = points.map { point in
      means.indices.flatMap { $0 == index ? treatments[index](point) : means[$0] } + others
    }
    return try coefficients.mapped(
      by: Tensor(rows: rows), names: points.map { "at \(Numbers.significant($0))" })
  }

  /// The structural function of each endogenous variable over its range; none for linear features,
  /// which a coefficient says already.
  ///
  /// - Parameter seed: Of the bootstrap of the bands.
  public func curves(level: Double = 0.95, seed: UInt64 = 1) throws -> [StructuralCurve] {
    guard regression.features != .linear else { return [] }
    return try model.endogenous.enumerated().map { index, variable in
      let grid = StructuralCurve.grid(of: variable.values)
      return try StructuralCurve(
        of: variable.name, at: grid, try structuralFunction(of: index, at: grid), level: level,
        seed: seed)
    }
  }
}
