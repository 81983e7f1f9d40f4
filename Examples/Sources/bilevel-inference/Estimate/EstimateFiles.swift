import Econometrics
import ExampleSupport
import TensorFiles

/// The files that `estimate` leaves in the output directory.
struct EstimateFiles {
  let result: InstrumentalResult<OrthogonalEstimates>

  func write(to directory: OutputDirectory) throws {
    try coefficients.write(toFile: directory.file("estimate-coefficients.csv"))
    if !result.curves.isEmpty {
      try curveTable.write(toFile: directory.file("estimate-curves.csv"))
    }
    try figure.write(to: directory.file("estimate.svg"))
  }

  private var coefficients: CSVWriter {
    var writer = CSVWriter(columnNames: [
      "term", "estimate", "standardError", "intervalLower", "intervalUpper", "intervalKind",
    ])
    for part in [result.effects, result.exogenousEffects].compactMap({ $0 }) {
      for index in part.names.indices {
        writer.append(
          [.text(part.names[index])]
            + [
              part.values[index], part.standardErrors[index], part.lower[index], part.upper[index],
            ].map(Self.field) + [.text(part.intervalKind.rawValue)])
      }
    }
    return writer
  }

  /// A number, or nothing where it is withheld.
  private static func field(_ value: Double?) -> CSVValue {
    value.flatMap { $0.isFinite ? .number($0) : nil } ?? .missing
  }

  private var curveTable: CSVWriter {
    var writer = CSVWriter(columnNames: [
      "variable", "value", "estimate", "intervalLower", "intervalUpper", "bandLower", "bandUpper",
    ])
    for curve in result.curves {
      for index in curve.points.indices {
        writer.append(
          [.text(curve.variable)]
            + [
              curve.points[index], curve.values[index], curve.lower[index], curve.upper[index],
              curve.bandLower[index], curve.bandUpper[index],
            ].map(Self.field))
      }
    }
    return writer
  }

  private var figure: SVGFigure {
    let sample = result.sample
    return SVGFigure(
      title: "\(sample.outcome) on \(sample.endogenous.joined(separator: ", ")), instrumented by "
        + sample.instruments.joined(separator: ", "),
      subtitle: "\(sample.data), n = \(Numbers.count(sample.n)); \(result.learner)",
      panels: result.curves.prefix(3).map(panel) + [coefficientPanel])
  }

  private func panel(_ curve: StructuralCurve) -> SVGPanel {
    SVGPanel(
      title: "By \(curve.variable), the rest at their means", xAxis: SVGAxis(curve.variable),
      yAxis: SVGAxis(result.sample.outcome),
      marks: curve.areas(color: SVGColor.blue) + [
        .line(
          SVGPoint.line(curve.points, curve.values), label: "structural function",
          color: SVGColor.blue)
      ])
  }

  private var coefficientPanel: SVGPanel {
    let (effects, linear) = (result.effects, result.twoStageLeastSquares)
    let isShown = effects.withheldReason == nil
    // A point without whiskers where the interval is withheld.
    var rows = effects.names.indices.map { index in
      let value = effects.values[index]
      let range = isShown ? effects.lower[index]...effects.upper[index] : value...value
      return (name: effects.names[index], value: value, range: range, color: SVGColor.blue)
    }
    if result.features == "linear" {
      for (index, name) in linear.names.enumerated() where result.sample.endogenous.contains(name) {
        let value = linear.values[index]
        rows.append(
          ("2SLS \(name)", value, linear.intervals[index] ?? value...value, SVGColor.vermilion))
      }
    }
    return SVGPanel(
      title: isShown
        ? "Coefficients, \(effects.intervalKind.rawValue) intervals"
        : "Coefficients, intervals withheld",
      xAxis: SVGAxis("coefficient"), yAxis: SVGAxis("", scale: .categories(rows.map(\.name))),
      marks: [SVGMark(.verticalRule(0), color: SVGColor.gray)]
        + rows.enumerated().map { position, row in
          SVGMark(
            .horizontalIntervals([SVGPoint(row.value, Double(position))], ranges: [row.range]),
            color: row.color)
        }, plotWidth: 380)
  }
}
