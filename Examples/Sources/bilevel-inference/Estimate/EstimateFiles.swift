import ExampleSupport
import OrthogonalRegression
import TensorFiles

/// The files that `estimate` leaves in the output directory.
struct EstimateFiles {
  let report: EstimateReport
  let curves: [StructuralCurve]

  func write(to directory: OutputDirectory) throws {
    try coefficients.write(toFile: directory.file("estimate-coefficients.csv"))
    if !curves.isEmpty { try curveTable.write(toFile: directory.file("estimate-curves.csv")) }
    try figure.write(to: directory.file("estimate.svg"))
  }

  private var coefficients: CSVWriter {
    var writer = CSVWriter(columnNames: [
      "term", "estimate", "standardError", "intervalLower", "intervalUpper", "intervalKind",
    ])
    for part in [report.effects, report.exogenousEffects].compactMap({ $0 }) {
      for index in part.names.indices {
        writer.append([
          .text(part.names[index]), .number(part.values[index]),
          Self.field(part.standardErrors[index]), Self.field(part.lower[index]),
          Self.field(part.upper[index]), .text(part.intervalKind.rawValue),
        ])
      }
    }
    return writer
  }

  /// A number, or nothing where it is withheld.
  private static func field(_ value: Double?) -> CSVValue {
    value.flatMap { $0.isFinite ? .number($0) : nil } ?? .missing
  }

  private var isShown: Bool { report.effects.withheldReason == nil }

  private var curveTable: CSVWriter {
    var writer = CSVWriter(columnNames: [
      "variable", "value", "estimate", "intervalLower", "intervalUpper", "bandLower", "bandUpper",
    ])
    for curve in report.curves {
      for index in curve.points.indices {
        writer.append([
          .text(curve.variable), .number(curve.points[index]), .number(curve.values[index]),
          Self.field(curve.lower[index]), Self.field(curve.upper[index]),
          Self.field(curve.bandLower[index]), Self.field(curve.bandUpper[index]),
        ])
      }
    }
    return writer
  }

  private var figure: SVGFigure {
    SVGFigure(
      title: "\(report.outcome) on \(report.endogenous.joined(separator: ", ")), instrumented by "
        + report.instruments.joined(separator: ", "),
      subtitle: "\(report.data), n = \(Numbers.count(report.n)); \(report.learner)",
      panels: curves.prefix(3).map(panel) + [coefficientPanel])
  }

  private func panel(_ curve: StructuralCurve) -> SVGPanel {
    SVGPanel(
      title: "By \(curve.variable), the rest at their means", xAxis: SVGAxis(curve.variable),
      yAxis: SVGAxis(report.outcome),
      marks: (isShown ? curve.areas(color: SVGColor.blue) : []) + [
        .line(
          zip(curve.points, curve.values).map { SVGPoint($0, $1) }, label: "structural function",
          color: SVGColor.blue)
      ])
  }

  private var coefficientPanel: SVGPanel {
    let effects = report.effects
    let linear = report.twoStageLeastSquares
    // A point without whiskers where the interval is withheld.
    var rows = effects.names.indices.map {
      let value = effects.values[$0]
      return (
        name: effects.names[$0], value: value,
        range: isShown ? effects.lower[$0]...effects.upper[$0] : value...value,
        color: SVGColor.blue
      )
    }
    if report.features == "linear" {
      for (index, name) in linear.names.enumerated() where report.endogenous.contains(name) {
        let value = linear.values[index]
        let range = linear.intervals[index].map { $0[0]...$0[1] } ?? value...value
        rows.append(("2SLS \(name)", value, range, SVGColor.vermilion))
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
