import Econometrics
import ExampleSupport
import Inference
import Orthogonal
import OrthogonalRegression
import RegressionInput

/// What `estimate` writes with `--json`.
struct EstimateReport: Encodable {
  /// A confidence set that need not be an interval.
  struct RobustSet: Encodable {
    /// interval, complement (all outside of the ends), everything or nothing.
    let kind: String
    let lower: Double?
    let upper: Double?
  }

  /// Two-stage least squares with standard errors that are robust, to dependence within groups too.
  struct Linear: Encodable {
    let names: [String]
    let values: [Double]
    let standardErrors: [Double?]
    /// Intervals of the level of `effects`; null where they are withheld.
    let intervals: [[Double]?]
    /// Why something is withheld.
    let reasons: [String?]
    /// The least first-stage F.
    let strength: Double?
  }

  /// The structural function along one variable.
  struct Curve: Encodable {
    let variable: String
    let points: [Double]
    let values: [Double]
    /// Null, as are the next three, where intervals are withheld.
    let lower: [Double?]
    let upper: [Double?]
    let bandLower: [Double?]
    let bandUpper: [Double?]
  }

  let data: String
  let outcome: String
  let endogenous: [String]
  let instruments: [String]
  let exogenous: [String]
  let features: String
  let exogenousForm: String
  let nuisances: String
  /// What the learner is, in words.
  let learner: String
  let folds: Int
  let repeats: Int
  let seed: UInt64
  /// The library of linear algebra and its threads, on which the rounding depends.
  let linearAlgebra = Repetition.linearAlgebra
  let n: Int
  let groupColumn: String?
  let groups: Int?
  let droppedRows: Int
  let duplicatedRows: Int
  /// The treatment features.
  let effects: Estimate.Report
  /// The exogenous variables and the constant.
  let exogenousEffects: Estimate.Report?
  let firstStage: [FirstStageStrength]
  let outcomeRSquared: Double
  let conditioning: Double?
  let robustSet: RobustSet?
  let twoStageLeastSquares: Linear
  let curves: [Curve]
  let warnings: [String]

  init(
    _ sample: RegressionSample, _ options: EstimateOptions, _ fit: OrthogonalIVFit,
    _ intervals: Intervals, robustSet: ConfidenceSet?, _ linear: TwoStageLeastSquares,
    _ curves: [StructuralCurve], duplicates: Int
  ) {
    let model = sample.model
    data = sample.source
    outcome = model.outcome.name
    endogenous = model.endogenous.map(\.name)
    instruments = model.instruments.map(\.name)
    exogenous = model.varyingExogenous.map(\.name)
    features = "\(options.features)"
    exogenousForm = options.exogenousForm.rawValue
    nuisances = "\(options.nuisances)"
    learner = options.regression.learner.nuisances.name
    groupColumn = options.groups
    (folds, repeats, seed) = (options.folds, options.repeats, options.seed)
    n = model.observationCount
    groups = sample.groups.map { Set($0).count }
    droppedRows = sample.droppedRows.count
    duplicatedRows = duplicates
    effects = fit.effects.report(
      level: options.level, intervals: intervals, withholdingBecause: fit.withheldReason)
    exogenousEffects = fit.exogenous?.report(
      level: options.level, withholdingBecause: fit.exogenousWithheldReason)
    firstStage = fit.strengths
    outcomeRSquared = fit.outcomeRSquared
    conditioning = fit.conditioning
    self.robustSet = robustSet.map(RobustSet.init)
    let statistics = linear.statistics(level: options.level)
    twoStageLeastSquares = Linear(
      names: linear.estimates.names, values: linear.estimates.parameters,
      standardErrors: statistics.map(\.standardError),
      intervals: statistics.map { $0.interval.map { [$0.lowerBound, $0.upperBound] } },
      reasons: statistics.map(\.reason),
      strength: linear.strength.isFinite ? linear.strength : nil)
    let isShown = fit.withheldReason == nil
    func ends(_ ranges: [ClosedRange<Double>], _ end: (ClosedRange<Double>) -> Double) -> [Double?]
    {
      ranges.map { isShown ? end($0) : nil }
    }
    self.curves = curves.map { curve in
      Curve(
        variable: curve.variable, points: curve.points, values: curve.values,
        lower: ends(curve.pointwise, \.lowerBound), upper: ends(curve.pointwise, \.upperBound),
        bandLower: ends(curve.band, \.lowerBound), bandUpper: ends(curve.band, \.upperBound))
    }
    var warnings = fit.warnings
    if self.robustSet != nil, fit.strengths.contains(where: \.isWeak) {
      warnings.append("Read the weak-instrument robust set instead of the interval.")
    }
    self.warnings = warnings + Self.smallSample(rows: n, groups: groups)
  }

  /// Intervals are those of large samples of independent units.
  private static func smallSample(rows: Int, groups: Int?) -> [String] {
    var warnings: [String] = []
    if rows < 100 {
      warnings.append(
        "Few rows: n = \(rows), below 100. Regressions on parts of so few rows are poor, and "
          + "intervals of large-sample theory cover less often than they say.")
    }
    if let groups, groups < 30 {
      warnings.append(
        "Few groups: \(groups), below 30. Standard errors from so few independent groups are too "
          + "small more often than not, and intervals cover less often than they say.")
    }
    return warnings
  }
}

extension EstimateReport.RobustSet {
  init(_ set: ConfidenceSet) {
    switch set {
    case .interval(let lower, let upper): self.init(kind: "interval", lower: lower, upper: upper)
    case .complement(let lower, let upper):
      self.init(kind: "complement", lower: lower, upper: upper)
    case .everything: self.init(kind: "everything", lower: nil, upper: nil)
    case .nothing: self.init(kind: "nothing", lower: nil, upper: nil)
    }
  }
}
