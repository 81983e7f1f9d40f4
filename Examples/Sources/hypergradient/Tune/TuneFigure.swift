import ExampleSupport
import Foundation

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
