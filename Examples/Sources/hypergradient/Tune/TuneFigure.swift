import ExampleSupport
import Foundation

extension TuneReport {
  /// The validation loss against seconds and against iterations, one curve to a method.
  ///
  /// What is drawn is the distance to the smallest loss of any run, because on the scale of the loss
  /// itself all curves look like one after a few iterations.
  var figure: SVGFigure {
    let losses = runs.flatMap { $0.steps.map(\.validationLoss) }
    let smallest = losses.min() ?? 0
    // What is nearer than rounding of the loss, and the smallest loss itself, is drawn at the floor.
    let floor = max(1e-10 * abs(smallest), .leastNormalMagnitude)
    func curve(_ steps: [TuneStep], _ x: (TuneStep) -> Double) -> [SVGPoint] {
      steps.map { SVGPoint(x($0), max($0.validationLoss - smallest, floor)) }
    }
    let axis = SVGAxis("validation loss − smallest", scale: .logarithmic)
    let seconds = runs.flatMap { $0.steps.map(\.seconds) }.filter { $0 > 0 }
    // Zero has no logarithm: the start is drawn at the first time after it.
    let first = seconds.min() ?? 1e-4
    return SVGFigure(
      title: "Tuning one penalty per feature",
      subtitle: "\(subtitle); \(effort)",
      panels: [
        SVGPanel(
          title: "Against time", xAxis: SVGAxis("seconds", scale: .logarithmic), yAxis: axis,
          marks: marks { curve($0) { max($0.seconds, first) } } + [commonRule(smallest)]),
        SVGPanel(
          title: "Against outer iterations", xAxis: SVGAxis("outer iteration"), yAxis: axis,
          marks: marks { curve($0) { Double($0.iteration) } } + [commonRule(smallest)]),
      ])
  }

  private func marks(_ points: ([TuneStep]) -> [SVGPoint]) -> [SVGMark] {
    runs.enumerated().filter { !$0.element.steps.isEmpty }.map { index, run in
      let isYardstick = run.method == TuneMethod.exact.name
      let colors = SVGColor.series
      // The yardstick comes first and has a colour of its own.
      let color = isYardstick ? SVGColor.gray : colors[(index + colors.count - 1) % colors.count]
      return .line(
        points(run.steps), label: run.label, color: color,
        // Approximate methods are dashed, as are colours used a second time.
        isDashed: run.label != run.method || index > colors.count)
    }
  }

  private func commonRule(_ smallest: Double) -> SVGMark {
    SVGMark(
      .horizontalRule(baselines.common.validation - smallest), label: "best common penalty",
      color: SVGColor.gray)
  }
}
