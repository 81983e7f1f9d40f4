import Autodiff
import ControlProblems
import ExampleSupport
import Inference
import Orthogonal
import TensorFiles

/// The results of `estimate`, as JSON, text, table and plot.
struct EstimateReport: Encodable {
  /// The result of a method.
  struct MethodReport: Encodable {
    let method: String
    let value: Double
    let standardError: Double
    let interval: [Double]
    let coefficients: Estimate.Report
    let condition: Double
    let bellmanError: Double?
    let specificationTest: Statistic<JointTest>?

    init(_ result: PolicyEvaluation) {
      let report = result.value.report()
      method = result.method.title
      value = report.values[0]
      standardError = report.standardErrors[0]
      interval = [report.lower[0], report.upper[0]]
      coefficients = result.coefficients.report()
      condition = result.condition
      bellmanError = result.bellmanError?.rootMeanSquare
      specificationTest = result.specificationTest
    }
  }

  let data: String
  let policy: String
  let transitions: Int
  let trajectories: Int?
  let discount: Double
  let features: String
  let seed: UInt64
  /// The library of linear algebra and its threads, on which the rounding depends.
  let linearAlgebra = Repetition.linearAlgebra
  let methods: [MethodReport]
  let truth: SimulatedValue?
  let warnings: [String]

  init(
    _ data: EvaluationData, _ setting: FittedQEvaluation, _ results: [PolicyEvaluation],
    truth: SimulatedValue?, seed: UInt64
  ) {
    self.data = data.source
    policy = data.policyTitle
    transitions = data.transitions.count
    trajectories = data.transitions.trajectoryCount
    discount = setting.discount
    features = setting.features.name
    self.seed = seed
    methods = results.map(MethodReport.init)
    self.truth = truth
    warnings = Self.warnings(results) + results.flatMap(\.warnings).map { $0 + "." }
  }

  /// A score that hardly depends on some coefficients has a root of no use, whose interval may still
  /// hold the truth by its length.
  private static func warnings(_ results: [PolicyEvaluation]) -> [String] {
    func error(_ method: FittedQEvaluation.Method) -> Double? {
      results.first { $0.method == method }?.value.report().standardErrors[0]
    }
    guard let orthogonal = error(.orthogonal), let temporal = error(.temporalDifference),
      orthogonal > 10 * temporal
    else { return [] }
    return [
      "The standard error of the orthogonal value is "
        + "\(Numbers.significant(orthogonal / temporal, digits: 2)) times that of LSTD: the slope of "
        + "the score is nearly singular; use fewer features, --ridge or --repeats."
    ]
  }

  /// What is printed.
  ///
  /// - Parameter summary: Of the orthogonal method.
  func text(_ summary: String) -> String {
    var table = TextTable(header: ["method", "value", "std err", "95 % interval"])
    for method in methods {
      table.append([
        method.method, Numbers.significant(method.value),
        Numbers.significant(method.standardError, digits: 3),
        "\(Numbers.significant(method.interval[0])) to \(Numbers.significant(method.interval[1]))",
      ])
    }
    let heading = "Evaluated: \(policy)\nData: \(data)\nRepeat with: \(Repetition.text(seed: seed))"
    var parts = [heading, summary, "Methods\n" + table.text()]
    if !warnings.isEmpty {
      parts.append("Warnings\n" + warnings.map { wrapped($0) }.joined(separator: "\n"))
    }
    if let truth { parts.append("Truth\n" + truthText(truth)) }
    return parts.joined(separator: "\n\n")
  }

  private func truthText(_ truth: SimulatedValue) -> String {
    let source =
      truth.rollouts == 0
      ? "in closed form"
      : "by \(Numbers.count(truth.rollouts)) rollouts (Monte Carlo standard error "
        + "\(Numbers.significant(truth.standardError, digits: 2)))"
    let first = methods[0]
    let distance = first.value - truth.value
    if !warnings.isEmpty {
      return wrapped(
        "The value is \(Numbers.significant(truth.value)) \(source); the orthogonal estimate is off "
          + "by \(Numbers.significant(distance, digits: 3)).")
    }
    return wrapped(
      """
      The value is \(Numbers.significant(truth.value)) \(source); the orthogonal estimate is off by \
      \(Numbers.significant(distance, digits: 3)), which is \
      \(Numbers.significant(abs(distance) / first.standardError, digits: 2)) of its standard \
      errors. That is chance and, where the features cannot express the action value, what they \
      leave out: intervals account for chance only.
      """)
  }

  /// Writes the values of all methods.
  func writeTable(to path: String) throws {
    var writer = CSVWriter(columnNames: [
      "method", "value", "standardError", "intervalLower", "intervalUpper", "truth",
    ])
    for method in methods {
      writer.append(
        [.text(method.method)]
          + [method.value, method.standardError, method.interval[0], method.interval[1]]
          .map(CSVValue.number) + [truth.map { .number($0.value) } ?? .missing])
    }
    try writer.write(toFile: path)
  }

  /// The values of all methods beside the truth.
  func figure() -> SVGFigure {
    var marks: [SVGMark] = []
    if let truth {
      marks.append(SVGMark(.verticalRule(truth.value), label: "truth", color: SVGColor.gray))
    }
    for (position, method) in methods.enumerated() {
      marks.append(
        SVGMark(
          .horizontalIntervals(
            [SVGPoint(method.value, Double(position))],
            ranges: [method.interval[0]...method.interval[1]]),
          color: SVGColor.series[position % SVGColor.series.count]))
    }
    return SVGFigure(
      title: "Value of the policy",
      subtitle: "\(data), \(Numbers.count(transitions)) transitions; whiskers are 95 % intervals",
      panels: [
        SVGPanel(
          xAxis: SVGAxis("discounted value"),
          yAxis: SVGAxis("", scale: .categories(methods.map(\.method))), marks: marks,
          plotHeight: 180)
      ])
  }
}
