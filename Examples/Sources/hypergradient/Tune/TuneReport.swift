import ExampleSupport
import Foundation
import HyperparameterProblems

/// What `tune` finds.
struct TuneReport: Report {
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
    _ problem: TuneProblem, _ settings: TuneSettings, _ runs: [MethodRun],
    _ baselines: TuneBaselines
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
    results = TuneResult.results(runs, problem, settings)
    best = results.best?.method
    (self.settings, self.baselines) = (settings, baselines)
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
}

extension TuneReport {
  /// The validation loss against seconds and against iterations, one curve to a method.
  ///
  /// The distance to the smallest loss of any run is drawn too, because on the scale of the loss
  /// itself all curves look like one after a few iterations.
  var figure: SVGFigure {
    let losses = runs.flatMap { $0.steps.map(\.validationLoss) }
    let smallest = losses.min() ?? 0
    // What is nearer than rounding of the loss, and the smallest loss itself, is drawn at the floor.
    let floor = max(1e-10 * abs(smallest), .leastNormalMagnitude)
    func gap(_ loss: Double) -> Double { max(loss - smallest, floor) }
    // Zero has no logarithm: the start is drawn against iterations only.
    func time(_ step: TuneStep) -> Double { step.seconds > 0 ? step.seconds : .nan }
    let seconds = SVGAxis("seconds", scale: .logarithmic)
    let gapAxis = SVGAxis("validation loss − smallest of all runs", scale: .logarithmic)
    let common = baselines.common.validation
    return SVGFigure(
      title: "Tuning one penalty per feature",
      subtitle: "\(subtitle); \(effort)",
      panels: [
        SVGPanel(
          title: "Validation loss", xAxis: seconds, yAxis: SVGAxis("validation loss"),
          marks: marks(isLabeled: true) { SVGPoint(time($0), $0.validationLoss) }
            + [rule(common, label: "best common penalty")]),
        SVGPanel(
          title: "Distance to the smallest, against time", xAxis: seconds, yAxis: gapAxis,
          marks: marks { SVGPoint(time($0), gap($0.validationLoss)) } + [rule(gap(common))]),
        SVGPanel(
          title: "Distance to the smallest, against iterations", xAxis: SVGAxis("outer iteration"),
          yAxis: gapAxis,
          marks: marks { SVGPoint(Double($0.iteration), gap($0.validationLoss)) }
            + [rule(gap(common))]),
      ])
  }

  private func marks(
    isLabeled: Bool = false, _ point: (TuneStep) -> SVGPoint
  ) -> [SVGMark] {
    runs.enumerated().filter { !$0.element.steps.isEmpty }.map { index, run in
      let isYardstick = run.method == TuneMethod.exact.name
      let colors = SVGColor.series
      // The yardstick comes first and has a colour of its own.
      let color = isYardstick ? SVGColor.gray : colors[(index + colors.count - 1) % colors.count]
      return .line(
        run.steps.map(point), label: isLabeled ? run.label : nil, color: color, width: 1.6,
        // Approximate methods are dashed, as are colours used a second time.
        isDashed: run.label != run.method || index > colors.count)
    }
  }

  private func rule(_ loss: Double, label: String? = nil) -> SVGMark {
    SVGMark(.horizontalRule(loss), label: label, color: SVGColor.gray)
  }
}
