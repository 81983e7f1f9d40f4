import ExampleSupport
import Inference
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
          .number(part.standardErrors[index]), .number(part.lower[index]),
          .number(part.upper[index]), .text(part.intervalKind.rawValue),
        ])
      }
    }
    return writer
  }

  private var curveTable: CSVWriter {
    var writer = CSVWriter(columnNames: [
      "variable", "value", "estimate", "intervalLower", "intervalUpper", "bandLower", "bandUpper",
    ])
    for curve in report.curves {
      for index in curve.points.indices {
        writer.append([
          .text(curve.variable), .number(curve.points[index]), .number(curve.values[index]),
          .number(curve.lower[index]), .number(curve.upper[index]),
          .number(curve.bandLower[index]), .number(curve.bandUpper[index]),
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
      marks: curve.areas(color: SVGColor.blue) + [
        .line(
          zip(curve.points, curve.values).map { SVGPoint($0, $1) }, label: "structural function",
          color: SVGColor.blue)
      ])
  }

  private var coefficientPanel: SVGPanel {
    let effects = report.effects
    let linear = report.twoStageLeastSquares
    var rows = effects.names.indices.map {
      (
        name: effects.names[$0], value: effects.values[$0],
        range: effects.lower[$0]...effects.upper[$0], color: SVGColor.blue
      )
    }
    if report.features == "linear" {
      let z = NormalDistribution.quantile(0.5 + effects.level / 2)
      for (index, name) in linear.names.enumerated() where report.endogenous.contains(name) {
        let (value, half) = (linear.values[index], z * linear.standardErrors[index])
        rows.append(("2SLS \(name)", value, value - half...value + half, SVGColor.vermilion))
      }
    }
    return SVGPanel(
      title: "Coefficients, \(effects.intervalKind.rawValue) intervals",
      xAxis: SVGAxis("coefficient"), yAxis: SVGAxis("", scale: .categories(rows.map(\.name))),
      marks: [SVGMark(.verticalRule(0), color: SVGColor.gray)]
        + rows.enumerated().map { position, row in
          SVGMark(
            .horizontalIntervals([SVGPoint(row.value, Double(position))], ranges: [row.range]),
            color: row.color)
        }, plotWidth: 380)
  }
}
