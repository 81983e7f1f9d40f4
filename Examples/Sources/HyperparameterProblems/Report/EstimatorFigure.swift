import ExampleSupport

/// Plots error curves: one line to an estimator with the quartiles over problems as a band, both
/// axes logarithmic, slopes in the legend.
public struct EstimatorFigure: Sendable {
  private let title: String
  private let subtitle: String
  private let summaries: [EstimatorSummary]

  /// Creates a figure.
  public init(title: String, subtitle: String, summaries: [EstimatorSummary]) {
    self.title = title
    self.subtitle = subtitle
    self.summaries = summaries
  }

  /// The figure, ready to be written.
  public var figure: SVGFigure {
    SVGFigure(title: title, subtitle: subtitle, panels: groups.map(panel))
  }

  /// As many estimators to a panel as there are colours, the reference in each.
  private var groups: [[EstimatorSummary]] {
    guard let reference = summaries.first else { return [] }
    let others = Array(summaries.dropFirst())
    let size = SVGColor.series.count - 1
    if others.isEmpty { return [[reference]] }
    return stride(from: 0, to: others.count, by: size).map { start in
      [reference] + others[start..<min(start + size, others.count)]
    }
  }

  private func panel(_ summaries: [EstimatorSummary]) -> SVGPanel {
    var bands: [SVGMark] = []
    var lines: [SVGMark] = []
    for (index, summary) in summaries.enumerated() {
      let color = SVGColor.series[index]
      // What is exact has no place on a logarithmic axis.
      let shown = summary.levels.filter { $0.median > 0 && $0.lower > 0 }
      if summary.problems > 1 {
        bands.append(
          .band(
            lower: shown.map { SVGPoint($0.error, $0.lower) },
            upper: shown.map { SVGPoint($0.error, $0.upper) }, color: color, opacity: 0.15))
      }
      lines.append(
        .line(
          shown.map { SVGPoint($0.error, $0.median) }, label: Self.label(summary), color: color))
    }
    return SVGPanel(
      title: "Medians and quartiles", xAxis: SVGAxis("inner error ‖x − x*‖", scale: .logarithmic),
      yAxis: SVGAxis("hypergradient error", scale: .logarithmic), marks: bands + lines,
      plotWidth: 480, plotHeight: 420)
  }

  private static func label(_ summary: EstimatorSummary) -> String {
    "\(summary.name) (\(slopeText(summary)))"
  }

  static func slopeText(_ summary: EstimatorSummary) -> String {
    if summary.isExact { return "exact" }
    return summary.slope.map { "slope \(Numbers.fixed($0, decimals: 2))" } ?? "no slope"
  }
}
