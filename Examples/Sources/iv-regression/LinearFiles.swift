import Econometrics
import ExampleSupport
import TensorFiles

/// The files that `linear` leaves in the output directory.
struct LinearFiles {
  let result: InstrumentalResult<LinearEstimates>
  let fit: TwoStageLeastSquares

  /// Writes the table of coefficients and the plot, and returns where.
  func write(to directory: OutputDirectory) throws -> [String] {
    let paths = ["linear-coefficients.csv", "linear.svg"].map(directory.file)
    try coefficients.write(toFile: paths[0])
    try figure.write(to: paths[1])
    return paths
  }

  private var coefficients: CSVWriter {
    var writer = CSVWriter(columnNames: [
      "term", "estimate", "standardError", "z", "pValue", "intervalLower", "intervalUpper",
      "ordinaryEstimate", "ordinaryStandardError", "nonparametricEstimate",
      "nonparametricStandardError",
    ])
    let (ordinary, stage) = (result.ordinaryLeastSquares, result.nonparametricFirstStage)
    let constant = result.constant ? [InstrumentalModel.constantName] : []
    for name in result.sample.endogenous + constant + result.sample.exogenous {
      let interval = result.confidenceIntervals[name] ?? nil
      writer.append(
        [.text(name)]
          + [
            result.parameters[name], result.standardErrors[name] ?? nil,
            result.zStatistics[name] ?? nil, result.pValues[name] ?? nil, interval?.lowerBound,
            interval?.upperBound, ordinary.parameters[name], ordinary.standardErrors[name] ?? nil,
            stage?.parameters?[name], stage?.standardErrors?[name],
          ].map { $0.map(CSVValue.number) ?? .missing })
    }
    return writer
  }

  /// The estimates with and without instruments, and each first stage.
  private var figure: SVGFigure {
    let sample = result.sample
    // More first stages than this make a figure that no screen shows.
    let stages = sample.endogenous.indices.prefix(3).map(firstStagePanel)
    return SVGFigure(
      title: "\(sample.outcome) on \(sample.endogenous.joined(separator: ", ")), instrumented by "
        + sample.instruments.joined(separator: ", "),
      subtitle: "\(sample.data), n = \(Numbers.count(sample.n)); whiskers are 95 % intervals",
      panels: [estimatesPanel] + stages)
  }

  private var estimatesPanel: SVGPanel {
    var names: [String] = []
    var marks: [SVGMark] = [SVGMark(.verticalRule(0), color: SVGColor.gray)]
    let (ordinary, stage) = (result.ordinaryLeastSquares, result.nonparametricFirstStage)
    for name in result.sample.endogenous {
      for (label, value, interval, color) in [
        ("2SLS", result.parameters[name], result.confidenceIntervals[name] ?? nil, SVGColor.blue),
        ("OBiGrad", stage?.parameters?[name], stage?.confidenceIntervals?[name], SVGColor.green),
        (
          "OLS", ordinary.parameters[name], ordinary.confidenceIntervals[name] ?? nil,
          SVGColor.vermilion
        ),
      ] {
        guard let value, let interval else { continue }
        marks.append(
          SVGMark(
            .horizontalIntervals([SVGPoint(value, Double(names.count))], ranges: [interval]),
            color: color))
        names.append("\(label) \(name)")
      }
    }
    return SVGPanel(
      title: "Estimates", xAxis: SVGAxis("change of \(result.sample.outcome) per unit"),
      yAxis: SVGAxis("", scale: .categories(names)), marks: marks, plotWidth: 380)
  }

  /// The endogenous variable against what the instruments say of it, in bins of equal size, both
  /// with the exogenous variables taken out; the slope of the line is 1 by construction, and the
  /// spread of the bins along it is the strength of the instruments.
  private func firstStagePanel(_ index: Int) -> SVGPanel {
    let (name, partialled) = (result.sample.endogenous[index], fit.partialled(index))
    let bins = BinnedMeans(x: partialled.fit, y: partialled.variable, count: 12)
    let ends = [bins.points.map(\.x).min() ?? 0, bins.points.map(\.x).max() ?? 0]
    let instruments = result.sample.instruments.joined(separator: ", ")
    return SVGPanel(
      title: "First stage of \(name)",
      xAxis: SVGAxis("\(name) as predicted by \(instruments)"),
      yAxis: SVGAxis("\(name), exogenous part taken out"),
      marks: [
        .line(SVGPoint.line(ends, ends), label: "first-stage fit", color: SVGColor.vermilion),
        SVGMark(
          .verticalIntervals(bins.points, ranges: bins.intervals),
          label: "means of \(bins.points.count) bins", color: SVGColor.blue),
      ])
  }
}
