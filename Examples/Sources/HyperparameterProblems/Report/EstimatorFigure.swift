import ExampleSupport
import Foundation

/// Plots error curves: one line to an estimator with the quartiles over problems as a band, both
/// axes logarithmic, slopes in the legend.
public struct EstimatorFigure {
  private let summaries: [EstimatorSummary]
  private let kinds: [String: String]

  /// The figure.
  ///
  /// - Parameter kinds: The kind of each estimator by its name, which is the title of its panel.
  public static func figure(
    title: String, subtitle: String, of summaries: [EstimatorSummary], kinds: [String: String] = [:]
  ) -> SVGFigure {
    let own = EstimatorFigure(summaries: summaries, kinds: kinds)
    let panels = own.groups.map(own.panel)
    return SVGFigure(
      title: title, subtitle: subtitle, panels: panels,
      panelsPerRow: panels.count > 2 ? (panels.count + 1) / 2 : 2)
  }

  private typealias Group = (title: String, summaries: [EstimatorSummary])

  /// The estimators of a kind to a panel, or to several of at most as many as there are colours; the
  /// reference is in each, with its colour.
  private var groups: [Group] {
    guard let reference = summaries.first else { return [] }
    let others = Array(summaries.dropFirst())
    func kind(_ summary: EstimatorSummary) -> String { kinds[summary.name] ?? "Estimators" }
    if others.isEmpty { return [(kind(reference), [reference])] }
    var titles: [String] = []
    for summary in others where !titles.contains(kind(summary)) { titles.append(kind(summary)) }
    let largest = SVGColor.series.count - 1
    return titles.flatMap { title in
      let members = others.filter { kind($0) == title }
      let parts = (members.count + largest - 1) / largest
      let size = (members.count + parts - 1) / parts
      return stride(from: 0, to: members.count, by: size).map { start in
        (
          parts > 1 ? "\(title), \(start / size + 1) of \(parts)" : title,
          [reference] + members[start..<min(start + size, members.count)]
        )
      }
    }
  }

  private func panel(_ group: Group) -> SVGPanel {
    var bands: [SVGMark] = []
    var lines: [SVGMark] = []
    var drawn: [[EstimatorSummary.Level]] = []
    for (index, summary) in group.summaries.enumerated() {
      let color = SVGColor.series[index]
      let shown = Self.shown(summary)
      if summary.problems > 1 {
        bands.append(
          .band(
            lower: shown.map { SVGPoint($0.error, $0.lower) },
            upper: shown.map { SVGPoint($0.error, $0.upper) }, color: color, opacity: 0.15))
      }
      lines.append(
        .line(
          shown.map { SVGPoint($0.error, $0.median) }, label: Self.label(summary), color: color,
          // Dashes let the curve below shine through.
          isDashed: drawn.contains { covers(shown, $0) }))
      drawn.append(shown)
    }
    return SVGPanel(
      title: group.title,
      xAxis: SVGAxis(
        "inner error ‖x − x*‖", scale: .logarithmic, domain: domain { [$0.error] }),
      yAxis: SVGAxis(
        "hypergradient error (median, quartiles)", scale: .logarithmic,
        domain: domain { [$0.lower, $0.median, $0.upper] }),
      marks: bands + lines, plotWidth: 480, plotHeight: 420)
  }

  /// What is exact has no place on a logarithmic axis.
  private static func shown(_ summary: EstimatorSummary) -> [EstimatorSummary.Level] {
    summary.levels.filter { $0.median > 0 && $0.lower > 0 }
  }

  /// The range of all panels, so that they can be compared.
  private func domain(_ values: (EstimatorSummary.Level) -> [Double]) -> ClosedRange<Double>? {
    let all = summaries.flatMap(Self.shown).flatMap(values).filter { $0 > 0 && $0.isFinite }
    guard let low = all.min(), let high = all.max(), low < high else { return nil }
    return low / 1.5...high * 1.5
  }

  /// Whether a curve hides another: nearer than the width of a line along most of it.
  private func covers(_ a: [EstimatorSummary.Level], _ b: [EstimatorSummary.Level]) -> Bool {
    guard !a.isEmpty, a.count == b.count, let range = domain({ [$0.lower, $0.median, $0.upper] })
    else { return false }
    let limit = 0.006 * log(range.upperBound / range.lowerBound)
    let near = zip(a, b).filter { abs(log($0.median / $1.median)) <= limit }
    return 4 * near.count >= 3 * a.count
  }

  private static func label(_ summary: EstimatorSummary) -> String {
    let slope = summary.slope.map { "slope \(Numbers.fixed($0, decimals: 2))" } ?? "no slope"
    return "\(summary.name) (\(summary.isExact ? "exact" : slope))"
  }
}
