import Econometrics
import ExampleSupport
import TensorFiles

/// The files that `linear` leaves in the output directory.
enum LinearFiles {
  /// Writes the table of coefficients, and returns where.
  static func writeCoefficients(
    _ report: LinearReport, to directory: OutputDirectory
  ) throws -> String {
    let path = directory.file("linear-coefficients.csv")
    var writer = CSVWriter(columnNames: [
      "term", "estimate", "standardError", "z", "pValue", "intervalLower", "intervalUpper",
      "ordinaryEstimate", "ordinaryStandardError", "nonparametricEstimate",
      "nonparametricStandardError",
    ])
    let constant = report.constant ? [InstrumentalModel.constantName] : []
    for name in report.endogenous + constant + report.exogenous {
      let interval = report.confidenceIntervals[name] ?? nil
      writer.append(
        [.text(name)]
          + [
            report.parameters[name], report.standardErrors[name] ?? nil,
            report.zStatistics[name] ?? nil, report.pValues[name] ?? nil, interval?[0],
            interval?[1], report.ordinaryLeastSquares.parameters[name],
            report.ordinaryLeastSquares.standardErrors[name] ?? nil,
            report.nonparametricFirstStage.parameters?[name],
            report.nonparametricFirstStage.standardErrors?[name],
          ].map { $0.map(CSVValue.number) ?? .missing })
    }
    try writer.write(toFile: path)
    return path
  }

  /// Writes the plot: the estimates with and without instruments, and each first stage.
  static func writePlot(
    _ report: LinearReport, _ result: TwoStageLeastSquares, to directory: OutputDirectory
  ) throws -> String {
    let path = directory.file("linear.svg")
    // More first stages than this make a figure that no screen shows.
    let stages = result.firstStages.prefix(3).map { firstStagePanel($0, result.model) }
    let figure = SVGFigure(
      title: "\(report.outcome) on \(report.endogenous.joined(separator: ", ")), instrumented by "
        + report.instruments.joined(separator: ", "),
      subtitle: "\(report.data), n = \(Numbers.count(report.n)); whiskers are 95 % intervals",
      panels: [estimatesPanel(report)] + stages)
    try figure.write(to: path)
    return path
  }

  private static func estimatesPanel(_ report: LinearReport) -> SVGPanel {
    var names: [String] = []
    var marks: [SVGMark] = [SVGMark(.verticalRule(0), color: SVGColor.gray)]
    for name in report.endogenous {
      let estimators = [
        ("2SLS", report.parameters, report.confidenceIntervals, SVGColor.blue),
        (
          "OBiGrad", report.nonparametricFirstStage.parameters ?? [:],
          report.nonparametricFirstStage.confidenceIntervals?.mapValues { $0 } ?? [:],
          SVGColor.green
        ),
        (
          "OLS", report.ordinaryLeastSquares.parameters,
          report.ordinaryLeastSquares.confidenceIntervals, SVGColor.vermilion
        ),
      ]
      for (label, parameters, intervals, color) in estimators {
        guard let value = parameters[name], let interval = intervals[name] ?? nil else { continue }
        marks.append(
          SVGMark(
            .horizontalIntervals(
              [SVGPoint(value, Double(names.count))], ranges: [interval[0]...interval[1]]),
            color: color))
        names.append("\(label) \(name)")
      }
    }
    return SVGPanel(
      title: "Estimates", xAxis: SVGAxis("change of \(report.outcome) per unit"),
      yAxis: SVGAxis("", scale: .categories(names)), marks: marks, plotWidth: 380)
  }

  /// The endogenous variable against what the instruments say of it, in bins of equal size, both
  /// with the exogenous variables taken out; the slope of the line is 1 by construction, and the
  /// spread of the bins along it is the strength of the instruments.
  private static func firstStagePanel(_ stage: FirstStage, _ model: InstrumentalModel) -> SVGPanel {
    let bins = BinnedMeans(x: stage.partialledFit, y: stage.partialledVariable, count: 12)
    let ends = [bins.points.map(\.x).min() ?? 0, bins.points.map(\.x).max() ?? 0]
    let instruments = model.instruments.map(\.name).joined(separator: ", ")
    return SVGPanel(
      title: "First stage of \(stage.name)",
      xAxis: SVGAxis("\(stage.name) as predicted by \(instruments)"),
      yAxis: SVGAxis("\(stage.name), exogenous part taken out"),
      marks: [
        .line(ends.map { SVGPoint($0, $0) }, label: "first-stage fit", color: SVGColor.vermilion),
        SVGMark(
          .verticalIntervals(bins.points, ranges: bins.intervals),
          label: "means of \(bins.points.count) bins", color: SVGColor.blue),
      ])
  }
}
