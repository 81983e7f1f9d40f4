import Econometrics
import ExampleSupport
import TensorFiles

/// The files that `deep` leaves in the output directory.
struct DeepFigure {
  let report: DeepReport
  let fit: DeepFit
  let result: DeepFit.Result
  let linear: TwoStageLeastSquares
  let lines: [DeepLine]

  /// Writes losses by iteration, and returns where.
  func writeCurves(to directory: OutputDirectory) throws -> String {
    let path = directory.file("deep-losses.csv")
    var writer = CSVWriter(columnNames: ["iteration", "innerLoss", "outerLoss"])
    for (index, losses) in zip(report.innerLosses, report.outerLosses).enumerated() {
      writer.append([.number(Double(index + 1)), .number(losses.0), .number(losses.1)])
    }
    try writer.write(toFile: path)
    return path
  }

  /// Writes the plot: on simulated data fitted against true structural function, on a file the
  /// fitted function of each endogenous variable.
  func writePlot(
    _ evaluation: DeepEvaluation?, fitted: [Double]?, to directory: OutputDirectory
  ) throws -> String {
    let path = directory.file("deep.svg")
    var panels: [SVGPanel] = []
    if let evaluation, let fitted {
      panels = [agreement(evaluation, fitted), try seasons()]
    } else {
      panels = try lines.indices.map(dependence)
    }
    panels.append(losses)
    let subtitle =
      report.outOfSample.map {
        "out-of-sample error \(Numbers.significant($0.deep)), linear 2SLS "
          + "\(Numbers.significant($0.linearTwoStageLeastSquares)), not instrumented "
          + Numbers.significant($0.naiveNetwork)
      } ?? ""
    let figure = SVGFigure(
      title: "\(report.outcome): structural function by deep features, n = "
        + Numbers.count(report.n),
      subtitle: subtitle.isEmpty ? report.data : "\(report.data); \(subtitle)", panels: panels)
    try figure.write(to: path)
    return path
  }

  private func agreement(_ evaluation: DeepEvaluation, _ fitted: [Double]) -> SVGPanel {
    // Every fourth point keeps the file small.
    let shown = stride(from: 0, to: fitted.count, by: 4)
    let ends = [evaluation.truth.min() ?? 0, evaluation.truth.max() ?? 0]
    return SVGPanel(
      title: "Fitted against true", xAxis: SVGAxis("true expected demand"),
      yAxis: SVGAxis("fitted"),
      marks: [
        .points(
          shown.map { SVGPoint(evaluation.truth[$0], fitted[$0]) }, label: "intervention points",
          color: SVGColor.blue, radius: 1.6, opacity: 0.35),
        .line(
          ends.map { SVGPoint($0, $0) }, label: "perfect fit", color: SVGColor.gray,
          isDashed: true),
      ])
  }

  /// Demand over the year at the median price, for three types of customer.
  private func seasons() throws -> SVGPanel {
    var marks: [SVGMark] = []
    let colors = [SVGColor.green, SVGColor.blue, SVGColor.vermilion]
    for (index, color) in zip(lines.indices, colors) {
      marks += try fitted(index, label: "\(lines[index].name), \(estimator)", color: color)
      let truth = lines[index].truth ?? []
      marks.append(
        .line(
          zip(lines[index].points, truth).map { SVGPoint($0, $1) },
          label: index == lines.count - 1 ? "true" : nil, color: color, width: 1.4,
          isDashed: true))
    }
    return SVGPanel(
      title: "Over the year, at the median price", xAxis: SVGAxis("time of year"),
      yAxis: SVGAxis("expected demand"), marks: marks)
  }

  /// The fitted function of one variable, the others at their means, beside the linear fit.
  private func dependence(_ index: Int) throws -> SVGPanel {
    let line = lines[index]
    let named = Dictionary(
      uniqueKeysWithValues: zip(fit.problem.treatments.map(\.name), line.columns))
    let straight = linear.estimates.predict(named, count: line.points.count)
    return SVGPanel(
      title: "By \(line.name), the rest at their means", xAxis: SVGAxis(line.name),
      yAxis: SVGAxis(report.outcome),
      marks: try fitted(index, label: "deep, \(estimator)", color: SVGColor.blue) + [
        .line(
          zip(line.points, straight).map { SVGPoint($0, $1) }, label: "linear 2SLS",
          color: SVGColor.vermilion, isDashed: true)
      ])
  }

  /// The refitted head along a line with its own intervals, or without any the trained function:
  /// line and band are of one estimator.
  private func fitted(_ index: Int, label: String, color: String) throws -> [SVGMark] {
    let (line, curves) = (lines[index], report.intervals.curves)
    let values =
      curves.isEmpty
      ? try fit.structuralFunction(result, at: line.columns) : curves[index].values
    let areas =
      curves.isEmpty ? [] : curves[index].areas(color: color, isNamed: index == lines.count - 1)
    return areas
      + [.line(zip(line.points, values).map { SVGPoint($0, $1) }, label: label, color: color)]
  }

  /// What the drawn lines are.
  private var estimator: String { report.intervals.curves.isEmpty ? "trained" : "refitted head" }

  private var losses: SVGPanel {
    func curve(_ values: [Double]) -> [SVGPoint] {
      values.enumerated().map { SVGPoint(Double($0 + 1), $1) }
    }
    return SVGPanel(
      title: "Training", xAxis: SVGAxis("outer iteration"),
      yAxis: SVGAxis("loss", scale: .logarithmic),
      marks: [
        .line(curve(report.outerLosses), label: "outer", color: SVGColor.blue),
        .line(curve(report.innerLosses), label: "inner", color: SVGColor.orange),
      ])
  }
}
