import Econometrics
import ExampleSupport
import TensorFiles

/// The files that `deep` leaves in the output directory.
struct DeepFigure {
  let report: DeepReport
  let fit: DeepFit
  let result: DeepFit.Result
  let linear: TwoStageLeastSquares

  /// Points to a curve.
  private static let resolution = 80

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
      panels = try report.endogenous.prefix(3).enumerated().map { try dependence($0, $1) }
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
    let price = median(fit.problem.model.endogenous[0].values)
    let times = (0..<Self.resolution).map { 10 * Double($0) / Double(Self.resolution - 1) }
    var marks: [SVGMark] = []
    for (customer, color) in [
      (1.0, SVGColor.green), (4.0, SVGColor.blue), (7.0, SVGColor.vermilion),
    ] {
      let fitted = try fit.structuralFunction(
        result, at: [times.map { _ in price }, times, times.map { _ in customer }])
      let truth = times.map { DemandDesign.demand(price: price, time: $0, customer: customer) }
      marks.append(
        .line(
          zip(times, fitted).map { SVGPoint($0, $1) }, label: "type \(Int(customer)), fitted",
          color: color))
      marks.append(
        .line(
          zip(times, truth).map { SVGPoint($0, $1) },
          label: customer == 7 ? "true" : nil, color: color, width: 1.4, isDashed: true))
    }
    return SVGPanel(
      title: "Over the year, at the median price", xAxis: SVGAxis("time of year"),
      yAxis: SVGAxis("expected demand"), marks: marks)
  }

  /// The fitted function of one variable, the others at their means, beside the linear fit.
  private func dependence(_ index: Int, _ name: String) throws -> SVGPanel {
    let variables = fit.problem.treatments
    let sorted = variables[index].values.sorted()
    // The outer percentiles hold too few observations to say anything about.
    let (low, high) = (sorted[sorted.count / 50], sorted[sorted.count - 1 - sorted.count / 50])
    let grid = (0..<Self.resolution).map {
      low + (high - low) * Double($0) / Double(Self.resolution - 1)
    }
    let columns = variables.enumerated().map { position, variable in
      position == index ? grid : grid.map { _ in Standardizer(variable.values).center }
    }
    let fitted = try fit.structuralFunction(result, at: columns)
    let named = Dictionary(uniqueKeysWithValues: zip(variables.map(\.name), columns))
    let straight = linear.estimates.predict(named, count: grid.count)
    return SVGPanel(
      title: "By \(name), the rest at their means", xAxis: SVGAxis(name),
      yAxis: SVGAxis(report.outcome),
      marks: [
        .line(zip(grid, fitted).map { SVGPoint($0, $1) }, label: "deep", color: SVGColor.blue),
        .line(
          zip(grid, straight).map { SVGPoint($0, $1) }, label: "linear 2SLS",
          color: SVGColor.vermilion, isDashed: true),
      ])
  }

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

  private func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
}
