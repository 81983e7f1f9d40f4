import Econometrics
import ExampleSupport
import TensorFiles

/// The files that `deep` leaves in the output directory.
struct DeepFiles {
  let result: InstrumentalResult<DeepEstimates>
  let fit: DeepIVFit
  let lines: [StructuralLine]
  /// Of the simulation; nil on a file.
  let points: DemandPoints?

  /// Writes losses by iteration and the plot, and returns where.
  func write(to directory: OutputDirectory) throws -> [String] {
    let paths = ["deep-losses.csv", "deep.svg"].map(directory.file)
    var writer = CSVWriter(columnNames: ["iteration", "innerLoss", "outerLoss"])
    for (index, losses) in fit.losses.enumerated() {
      writer.append([Double(index + 1), losses.inner, losses.outer].map { .number($0) })
    }
    try writer.write(toFile: paths[0])
    try figure.write(to: paths[1])
    return paths
  }

  /// On simulated data fitted against true structural function, on a file the fitted function of each
  /// endogenous variable.
  private var figure: SVGFigure {
    let sample = result.sample
    let errors =
      result.outOfSample.map {
        "; out-of-sample error \(Numbers.significant($0.deep)), linear 2SLS "
          + "\(Numbers.significant($0.linearTwoStageLeastSquares)), not instrumented "
          + Numbers.significant($0.naiveNetwork)
      } ?? ""
    return SVGFigure(
      title: "\(sample.outcome): structural function by deep features, n = "
        + Numbers.count(sample.n),
      subtitle: sample.data + errors,
      panels: (points.map { [agreement($0), seasons] } ?? lines.indices.map(dependence)) + [losses])
  }

  private func agreement(_ points: DemandPoints) -> SVGPanel {
    let (truth, fitted) = (points.truth, fit.structuralFunction(at: points.columns))
    // Every fourth point keeps the file small.
    let shown = stride(from: 0, to: fitted.count, by: 4)
    let ends = [truth.min() ?? 0, truth.max() ?? 0]
    return SVGPanel(
      title: "Fitted against true", xAxis: SVGAxis("true expected demand"),
      yAxis: SVGAxis("fitted"),
      marks: [
        .points(
          shown.map { SVGPoint(truth[$0], fitted[$0]) }, label: "intervention points",
          color: SVGColor.blue, radius: 1.6, opacity: 0.35),
        .line(
          SVGPoint.line(ends, ends), label: "perfect fit", color: SVGColor.gray, isDashed: true),
      ])
  }

  /// Demand over the year at the median price, for three types of customer.
  private var seasons: SVGPanel {
    let colors = [SVGColor.green, SVGColor.blue, SVGColor.vermilion]
    let marks = zip(lines.indices, colors).flatMap { index, color in
      fitted(index, label: "\(lines[index].name), \(estimator)", color: color) + [
        .line(
          SVGPoint.line(lines[index].points, lines[index].truth ?? []),
          label: index == lines.count - 1 ? "true" : nil, color: color, width: 1.4,
          isDashed: true)
      ]
    }
    return SVGPanel(
      title: "Over the year, at the median price", xAxis: SVGAxis("time of year"),
      yAxis: SVGAxis("expected demand"), marks: marks)
  }

  /// The fitted function of one variable, the others at their means, beside the linear fit.
  private func dependence(_ index: Int) -> SVGPanel {
    let line = lines[index]
    let named = Dictionary(uniqueKeysWithValues: zip(fit.treatments.map(\.name), line.columns))
    let straight = fit.linear.estimates.predict(named, count: line.points.count)
    return SVGPanel(
      title: "By \(line.name), the rest at their means", xAxis: SVGAxis(line.name),
      yAxis: SVGAxis(result.sample.outcome),
      marks: fitted(index, label: "deep, \(estimator)", color: SVGColor.blue) + [
        .line(
          SVGPoint.line(line.points, straight), label: "linear 2SLS", color: SVGColor.vermilion,
          isDashed: true)
      ])
  }

  /// The refitted head along a line with its own intervals, or without any the trained function:
  /// line and band are of one estimator.
  private func fitted(_ index: Int, label: String, color: String) -> [SVGMark] {
    let (line, curves) = (lines[index], result.intervals.curves)
    let values =
      curves.isEmpty ? fit.structuralFunction(at: line.columns) : curves[index].values
    let areas =
      curves.isEmpty ? [] : curves[index].areas(color: color, isNamed: index == lines.count - 1)
    return areas + [.line(SVGPoint.line(line.points, values), label: label, color: color)]
  }

  /// What the drawn lines are.
  private var estimator: String {
    result.intervals.curves.isEmpty ? "trained" : "refitted head"
  }

  private var losses: SVGPanel {
    func curve(_ values: [Double]) -> [SVGPoint] {
      SVGPoint.line((1...values.count).map(Double.init), values)
    }
    return SVGPanel(
      title: "Training", xAxis: SVGAxis("outer iteration"),
      yAxis: SVGAxis("loss", scale: .logarithmic),
      marks: [
        .line(curve(result.outerLosses), label: "outer", color: SVGColor.blue),
        .line(curve(result.innerLosses), label: "inner", color: SVGColor.orange),
      ])
  }
}
