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
    SVGFigure(title: title, subtitle: subtitle, panels: [panel])
  }

  private var panel: SVGPanel {
    var bands: [SVGMark] = []
    var lines: [SVGMark] = []
    for (index, summary) in summaries.enumerated() {
      let color = SVGColor.series[index % SVGColor.series.count]
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
          shown.map { SVGPoint($0.error, $0.median) }, label: Self.label(summary), color: color,
          // Colours repeat from the seventh estimator on.
          isDashed: index >= SVGColor.series.count))
    }
    return SVGPanel(
      title: "Medians and quartiles", xAxis: SVGAxis("inner error ‖x − x*‖", scale: .logarithmic),
      yAxis: SVGAxis("hypergradient error", scale: .logarithmic), marks: bands + lines,
      plotWidth: 620, plotHeight: 420)
  }

  private static func label(_ summary: EstimatorSummary) -> String {
    "\(summary.name) (\(slopeText(summary)))"
  }

  static func slopeText(_ summary: EstimatorSummary) -> String {
    if summary.isExact { return "exact" }
    return summary.slope.map { "slope \(Numbers.fixed($0, decimals: 2))" } ?? "no slope"
  }
}
