import ExampleSupport
import HyperparameterProblems
import TensorFiles

/// One outer iteration of `tune`.
struct TuneStep: Codable {
  /// 0 is the start.
  let iteration: Int
  /// The validation loss at the approximate inner solution.
  let outerLoss: Double
  /// ‖F(x, y)‖ there.
  let innerResidual: Double
  /// The norm of the estimated hypergradient.
  let hypergradientNorm: Double
  /// y.
  let logPenalties: [Double]
  /// x.
  let coefficients: [Double]
}

/// What `tune` writes with `--json`.
struct TuneReport: Encodable {
  let problem: String
  let rows: Int
  let validationRows: Int
  let features: [String]
  let steps: [TuneStep]

  init(_ problem: String, _ data: DataSplit, _ steps: [TuneStep]) {
    self.problem = problem
    rows = data.training.rowCount
    validationRows = data.validation.rowCount
    let names = data.training.featureNames
    features = names ?? (1...data.training.featureCount).map { "feature \($0)" }
    self.steps = steps
  }

  /// The text for the terminal: losses, and the features by penalty.
  var text: String {
    guard let first = steps.first, let last = steps.last else { return problem }
    var table = TextTable(header: ["feature", "log penalty", "coefficient"])
    let order = features.indices.sorted { last.logPenalties[$0] < last.logPenalties[$1] }
    for index in order.prefix(20) {
      table.append([
        features[index], Numbers.fixed(last.logPenalties[index], decimals: 2),
        Numbers.significant(last.coefficients[index]),
      ])
    }
    let more = order.count > 20 ? "\n  … and \(order.count - 20) more" : ""
    return """
      \(problem)
        Training rows    \(Numbers.count(rows))
        Validation rows  \(Numbers.count(validationRows))
        Validation loss  \(Numbers.significant(first.outerLoss)) at first, \
      \(Numbers.significant(last.outerLoss)) at last

      \(table.text())\(more)
      """
  }

  /// Writes the plot and the table of iterations, and returns where.
  func write(to directory: OutputDirectory) throws -> [String] {
    let files = [directory.file("tune-iterations.csv"), directory.file("tune.svg")]
    var writer = CSVWriter(columnNames: [
      "iteration", "validationLoss", "innerResidual", "hypergradientNorm",
    ])
    for step in steps {
      writer.append([
        .number(Double(step.iteration)), .number(step.outerLoss), .number(step.innerResidual),
        .number(step.hypergradientNorm),
      ])
    }
    try writer.write(toFile: files[0])
    let curve = steps.map { SVGPoint(Double($0.iteration), $0.outerLoss) }
    let norms = steps.map { SVGPoint(Double($0.iteration), $0.hypergradientNorm) }
    let figure = SVGFigure(
      title: "Tuning one penalty per feature", subtitle: problem,
      panels: [
        SVGPanel(
          title: "Validation loss", xAxis: SVGAxis("outer iteration"), yAxis: SVGAxis("loss"),
          marks: [.line(curve, color: SVGColor.blue)]),
        SVGPanel(
          title: "Hypergradient", xAxis: SVGAxis("outer iteration"),
          yAxis: SVGAxis("norm", scale: .logarithmic),
          marks: [.line(norms, color: SVGColor.vermilion)]),
      ])
    try figure.write(to: files[1])
    return files
  }
}
