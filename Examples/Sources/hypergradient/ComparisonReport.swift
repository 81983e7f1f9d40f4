import ExampleSupport
import HyperparameterProblems

/// What `ridge` and `logistic` write with `--json`.
struct ComparisonReport: Encodable {
  let command: String
  let training: String
  let validation: String
  let data: DataSummary
  let rows: Int
  let validationRows: Int
  let features: Int
  let outer: OuterKind
  let penaltyRange: [Double]
  let points: PointKind
  let seeds: Int
  /// The library of linear algebra and its threads, on which the rounding depends.
  let linearAlgebra = Repetition.linearAlgebra
  let scalarType: String
  /// The inner error at which `constantRatio` is taken.
  let ratioError: Double
  let estimators: [EstimatorSummary]
  let curves: [EstimatorCurve]

  init(
    command: String, split: DataSplit, settings: ComparisonSettings, ratioError: Double,
    summaries: [EstimatorSummary], curves: [EstimatorCurve]
  ) {
    self.command = command
    let (training, validation) = (split.training, split.validation)
    self.training = training.source
    self.validation = validation.source
    data = DataSummary(split)
    rows = training.rowCount
    validationRows = validation.rowCount
    features = training.featureCount
    outer = settings.draw.outer
    penaltyRange = [settings.draw.penaltyRange.lowerBound, settings.draw.penaltyRange.upperBound]
    points = settings.points
    seeds = settings.seeds
    scalarType = settings.draw.scalarType.description
    self.ratioError = ratioError
    estimators = summaries
    self.curves = curves
  }

  /// The data and the design in a line.
  var subtitle: String {
    let range = penaltyRange.map { Numbers.short($0) }.joined(separator: ", ")
    let source = points == .path ? "iterates of gradient descent" : "random perturbations"
    return
      "\(training), \(Numbers.count(rows)) × \(features)\(data.labelText), y in [\(range)], \(source), "
      + "\(seeds) \(seeds == 1 ? "seed" : "seeds"), \(scalarType)"
  }
}
