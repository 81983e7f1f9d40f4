import ExampleSupport
import Foundation
import HyperparameterProblems

/// One run of `ridge` or `logistic`: draws problems, evaluates estimators, prints and plots.
struct ComparisonRun {
  let options: ComparisonOptions
  let loss: RowLoss

  /// The inner error at which constants are compared, and below which slopes are taken.
  private static let ratioError = 1e-2
  private static let slopeLimit = 0.031_622_776_601_683_79

  /// The relative errors and directions of random perturbations.
  private static let perturbationErrors = ErrorLevels.logarithmic(from: -1, to: -5, count: 17)
  private static let directions = 5

  func run() throws {
    let settings = try options.settings(loss: loss)
    let directory = try options.shared.outputDirectory()
    let name = loss == .squared ? "ridge" : "logistic"
    let files = [directory.file("\(name)-errors.csv"), directory.file("\(name).svg")]
    let replaced = SharedOptions.existing(files)
    let data = try options.data.split(
      for: loss, holdsOut: settings.draw.outer == .validation)
    let curves = try curves(settings, data)
    let levels = levels(of: curves, settings)
    // Perturbations are relative to |x*|, which can be smaller than any fixed error.
    let middle = median(curves.flatMap(\.errors)) ?? Self.ratioError
    let ratioError = settings.points == .path ? Self.ratioError : middle
    let summaries = EstimatorSummary.summaries(
      curves, levels: levels, ratioError: ratioError,
      slopeLimit: settings.points == .path ? Self.slopeLimit : .infinity)
    let report = ComparisonReport(
      command: name, split: data, settings: settings, ratioError: ratioError, summaries: summaries,
      curves: curves)
    try EstimatorTables.csv(curves).write(toFile: files[0])
    try EstimatorFigure(
      title:
        "Hypergradients of \(name) regression, \(settings.draw.outer.rawValue) outer objective",
      subtitle: report.subtitle, summaries: summaries,
      kinds: Dictionary(uniqueKeysWithValues: EstimatorName.allCases.map { ($0.label, $0.kind) })
    ).figure.write(to: files[1])
    let facts = [
      report.subtitle, "linear algebra: \(report.linearAlgebra)", report.data.droppedText,
    ].filter { !$0.isEmpty }
    print(
      facts.joined(separator: "\n") + "\n\n"
        + EstimatorTables.text(summaries, ratioError: ratioError)
    )
    print("\n" + SharedOptions.writtenText(files, replaced: replaced))
    try options.shared.writeResults(report)
  }

  private func curves(
    _ settings: ComparisonSettings, _ data: DataSplit
  ) throws -> [EstimatorCurve] {
    let progress = ProgressMeter(label: "problems", total: settings.seeds, unit: "problem")
    var curves: [EstimatorCurve] = []
    for seed in 0..<UInt64(settings.seeds) {
      let problem = try settings.draw.problem(on: data, seed: seed)
      let points =
        switch settings.points {
        case .path:
          try problem.gradientDescentPath(
            levels: ErrorLevels.published, maximumIterations: settings.iterations)
        case .random:
          problem.perturbations(
            relativeErrors: Self.perturbationErrors, directions: Self.directions, seed: seed
          ).flatMap { $0 }
        }
      let estimators =
        settings.estimators ?? EstimatorName.defaults(innerSize: problem.innerSize)
      curves += try evaluate(problem, estimators: estimators, points: points, seed: seed)
      progress.update(completed: Int(seed) + 1)
    }
    progress.finish()
    return curves
  }

  /// The inner errors at which curves are summarised.
  private func levels(of curves: [EstimatorCurve], _ settings: ComparisonSettings) -> [Double] {
    if settings.points == .path { return ErrorLevels.published }
    let errors = curves.flatMap(\.errors).filter { $0 > 0 }
    guard let low = errors.min(), let high = errors.max(), low < high else { return errors }
    return ErrorLevels.logarithmic(from: log10(high), to: log10(low), count: 40)
  }
}
