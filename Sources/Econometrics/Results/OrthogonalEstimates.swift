import Autodiff
import Inference

/// An orthogonal regression as plain numbers.
public struct OrthogonalEstimates: InstrumentalEstimates {
  /// Two-stage least squares with standard errors that are robust, to dependence within clusters too.
  public struct Linear: Codable, Sendable {
    /// The regressors.
    public let names: [String]
    /// The estimates.
    public let values: [Double]
    /// The standard errors; nil where they are withheld.
    public let standardErrors: [Double?]
    /// Intervals of the level of `effects`; nil where they are withheld.
    public let intervals: [ClosedRange<Double>?]
    /// Why something is withheld.
    public let reasons: [String?]
    /// The least first-stage F; nil for infinity.
    public let strength: Double?

    init(_ fit: TwoStageLeastSquares, level: Double) {
      let columns = fit.coefficients(level: level)
      (names, values) = (columns.map(\.name), columns.map(\.value))
      standardErrors = columns.map(\.standardError)
      (intervals, reasons) = (columns.map(\.interval), columns.map(\.reason))
      strength = fit.strength.isFinite ? fit.strength : nil
    }
  }

  /// The name of φ.
  public let features: String
  /// What the exogenous variables do to the outcome.
  public let exogenousForm: OrthogonalIV.ExogenousForm
  /// The name of the learner.
  public let nuisances: String
  /// What the learner is, in words.
  public let learner: String
  /// Folds of a split.
  public let folds: Int
  /// Splits, whose estimates are aggregated by the median.
  public let repeats: Int
  /// Of splits, learners and bootstrap.
  public let seed: UInt64
  /// The library of linear algebra and its threads, on which the rounding depends.
  public let linearAlgebra: String
  /// The column of clusters.
  public let groupColumn: String?
  /// The number of clusters.
  public let groups: Int?
  /// The number of rows that repeat others.
  public let duplicatedRows: Int
  /// The treatment features.
  public let effects: Estimate.Report
  /// The exogenous variables and the constant.
  public let exogenousEffects: Estimate.Report?
  /// How well each feature is predicted.
  public let firstStage: [FirstStageStrength]
  /// The out-of-fold R² of the outcome.
  public let outcomeRSquared: Double
  /// See `OrthogonalIVFit.conditioning`.
  public let conditioning: Double?
  /// The values of a single effect that are not rejected however weak the instruments are.
  public let robustSet: RobustSet?
  /// Two-stage least squares for comparison.
  public let twoStageLeastSquares: Linear
  /// The structural function along each endogenous variable; without intervals where they are
  /// withheld.
  public let curves: [StructuralCurve]
  /// What a reader must know before an interval is believed.
  public let warnings: [String]
  /// What names of features abbreviate, and where dropped rows are: for the summary, not in JSON.
  private(set) var notes: (features: [String], droppedLines: [Int]) = ([], [])

  private enum CodingKeys: CodingKey {
    case features, exogenousForm, nuisances, learner, folds, repeats, seed, linearAlgebra
    case groupColumn, groups
    case duplicatedRows, effects, exogenousEffects, firstStage, outcomeRSquared, conditioning
    case robustSet, twoStageLeastSquares, curves, warnings
  }

  init(_ fit: OrthogonalIVFit, level: Double) throws {
    let (regression, model) = (fit.regression, fit.model)
    features = "\(regression.features)"
    exogenousForm = regression.exogenousForm
    nuisances = "\(regression.learner.kind)"
    learner = regression.learner.nuisances.name
    folds =
      regression.crossFitting.folds?.first?.count ?? regression.crossFitting.foldCount
    repeats = regression.crossFitting.repeatCount
    seed = regression.crossFitting.seed
    linearAlgebra = LinearAlgebraBackend.description
    (groupColumn, groups) = (model.clusterColumn, model.clusterCount)
    duplicatedRows = model.repeatedRowCount
    var intervals = fit.effects.intervals(level: level)
    if fit.effects.count > 1 {
      intervals = try fit.effects.simultaneousIntervals(
        level: level, bootstrap: MultiplierBootstrap(seed: seed))
    }
    effects = fit.effects.report(
      level: level, intervals: intervals, withholdingBecause: fit.withheldReason)
    exogenousEffects = fit.exogenous?.report(
      level: level, withholdingBecause: fit.exogenousWithheldReason)
    firstStage = fit.strengths
    outcomeRSquared = fit.outcomeRSquared
    conditioning = fit.conditioning
    robustSet = try fit.robustSet(level: level)
    twoStageLeastSquares = Linear(try TwoStageLeastSquares(model), level: level)
    let isShown = fit.withheldReason == nil
    curves = try fit.curves(level: level, seed: seed).map { isShown ? $0 : $0.withoutIntervals }
    var warnings = fit.warnings
    if robustSet != nil, fit.strengths.contains(where: \.isWeak) {
      warnings.append("Read the weak-instrument robust set instead of the interval.")
    }
    // Intervals are those of large samples of independent units.
    if model.observationCount < 100 {
      warnings.append(
        "Few rows: n = \(model.observationCount), below 100. Regressions on parts of so few rows are "
          + "poor, and intervals of large-sample theory cover less often than they say.")
    }
    if let groups, groups < 30 {
      warnings.append(
        "Few groups: \(groups), below 30. Standard errors from so few independent groups are too "
          + "small more often than not, and intervals cover less often than they say.")
    }
    self.warnings = warnings
    notes = (fit.treatments.compactMap(\.note), model.droppedLines)
  }
}

extension OrthogonalIVFit {
  /// The results with summary and JSON, two-stage least squares with robust standard errors beside
  /// them.
  ///
  /// Intervals of several features are simultaneous, by a bootstrap with the seed of the splits.
  public func result(
    level: Double = 0.95
  ) throws -> InstrumentalResult<OrthogonalEstimates> {
    InstrumentalResult(model, try OrthogonalEstimates(self, level: level))
  }
}
