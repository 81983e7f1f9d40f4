import ExampleSupport
import Foundation
import HyperparameterProblems

/// What `tune` writes with `--json`.
struct TuneReport: Encodable {
  let problem: String
  let data: DataSummary
  let rows: Int
  let validationRows: Int
  let testRows: Int
  let features: [String]
  /// Features with one value in all training rows.
  let constantFeatures: [String]
  let settings: TuneSettings
  /// The method whose penalties are shown.
  let best: String?
  let results: [TuneResult]
  let baselines: TuneBaselines
  let runs: [Curve]
  /// The library of linear algebra and its threads, on which the rounding depends.
  let linearAlgebra = Repetition.linearAlgebra

  /// The iterations of a method.
  struct Curve: Encodable {
    let method: String
    let label: String
    let steps: [TuneStep]
  }

  init(
    _ problem: TuneProblem, _ settings: TuneSettings, _ results: [TuneResult],
    _ baselines: TuneBaselines, _ runs: [MethodRun]
  ) {
    let training = problem.data.training
    self.problem = "\(problem.loss.rawValue) loss on \(training.source)"
    data = DataSummary(problem.data)
    // Standardising turns a constant feature into 0, which is constant too.
    constantFeatures = training.constantFeatures
    rows = training.rowCount
    validationRows = problem.data.validation.rowCount
    testRows = problem.test?.rowCount ?? 0
    features = (0..<training.featureCount).map(training.name)
    self.settings = settings
    self.results = results
    self.baselines = baselines
    best = results.best?.method
    self.runs = runs.map { run in
      let label = TuneMethod(name: run.method)?.label ?? run.method
      return Curve(method: run.method, label: label, steps: run.steps)
    }
  }

  /// What the losses of one run say against another.
  var warnings: [String] {
    var texts: [String] = []
    let tolerance = max(settings.tolerance, 1e-9)
    func exceeds(_ loss: Double, _ other: Double?) -> Bool {
      other.map { loss > $0 + tolerance * abs($0) } ?? false
    }
    for result in results {
      guard let loss = result.losses?.validation else { continue }
      if exceeds(loss, baselines.common.validation) {
        texts.append(
          "\(result.method) ends with a larger validation loss than the best common penalty.")
      }
      if exceeds(loss, baselines.unregularized?.validation) {
        texts.append("\(result.method) ends with a larger validation loss than no penalty at all.")
      }
    }
    if let exact = results.first(where: { $0.method == TuneMethod.exact.name }),
      let loss = exact.losses?.validation
    {
      for result in results where exceeds(loss, result.losses?.validation) {
        texts.append(
          "\(result.method) ends with a smaller validation loss than exact: "
            + (exact.converged
              ? "there are several minima; try another --start."
              : "exact has not converged; allow more --iterations."))
      }
    }
    return texts
  }

  /// The data in a line.
  var subtitle: String {
    "\(problem), \(Numbers.count(rows)) × \(Numbers.count(features.count)), "
      + "\(Numbers.count(validationRows)) rows for validation, \(Numbers.count(testRows)) for the "
      + "test\(data.labelText)"
  }

  /// The inner solves in a line.
  var effort: String {
    let steps = "\(settings.effort.steps) steps of gradient descent"
    guard let tolerance = settings.effort.tolerance else { return "\(steps) per outer iteration" }
    return "gradient descent to a relative residual of \(Numbers.short(tolerance)) (unrolling: "
      + "\(steps))"
  }

  /// The table of iterations and the plot.
  static func files(in directory: OutputDirectory) -> [String] {
    [directory.file("tune-iterations.csv"), directory.file("tune.svg")]
  }

  /// Writes the table of iterations and the plot.
  func write(to directory: OutputDirectory) throws {
    let files = Self.files(in: directory)
    try iterations.write(toFile: files[0])
    try figure.write(to: files[1])
  }
}
