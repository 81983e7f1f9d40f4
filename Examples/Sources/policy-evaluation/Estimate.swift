import ArgumentParser
import Autodiff
import ControlProblems
import ExampleSupport
import Inference
import Orthogonal
import TensorFiles

/// `policy-evaluation estimate`: the value of a policy with intervals.
struct EstimateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "estimate",
    abstract: "The value of a policy from logged transitions, with intervals.",
    discussion: """
      Without options, logs transitions of a simulated CartPole and evaluates another policy on \
      them, by angle and angular velocity of the pole; the truth by rollouts is shown beside the \
      estimates.

      On your own data:
        policy-evaluation estimate --data FILE --state S1,S2 --action A --action-count 2 \\
          --reward R --terminal DONE --trajectory EPISODE --next-action B --initial-action C

      The interval of the orthogonal method accounts for chance in transitions and initial states. \
      It does not account for features that cannot express the action value: compare features, and \
      read the Bellman error and the test against LSTD.
      """)

  @OptionGroup var columns: DataOptions
  @OptionGroup var evaluation: EvaluationOptions
  @OptionGroup var outputs: OutputOptions
  @OptionGroup var simulation: SimulationOptions

  @Option(help: "The number of rollouts for the truth of a simulation. (default: 20000)")
  var rollouts: Int?

  func validate() throws {
    try outputs.requireJSON(apartFrom: columns.data, columns.initial)
    try requireAtLeast(2, ("--rollouts", rollouts))
    for (name, value) in [
      ("--trajectories", simulation.trajectories), ("--limit", simulation.limit),
      ("--rollouts", rollouts),
    ] where value != nil && columns.data != nil {
      throw ValidationError("\(name) is for simulation, without --data")
    }
  }

  func run() throws {
    let files = try outputs.results("values.csv", "values.svg")
    let methods = FittedQEvaluation.Method.allCases
    let progress = ProgressMeter(label: "estimate", total: methods.count + 1, unit: nil)
    let generator = PhiloxGenerator(seed: evaluation.seed)
    let data: EvaluationData
    if let path = columns.data {
      data = try EvaluationData(columns, from: path)
    } else {
      let policy = columns.policy ?? .leaning
      try simulation.requireMemory(for: policy.process)
      data = try EvaluationData(policy, simulation, generator: generator.split(key: 0))
    }
    let setting = try evaluation.evaluation(
      of: data.transitions, hasNumberedActions: data.hasNumberedActions,
      process: data.simulated?.process ?? columns.policy?.process)
    var results: [PolicyEvaluation] = []
    for method in methods {
      results.append(
        try EvaluationFailure.told {
          try setting.evaluate(
            data.policy, on: data.transitions, from: data.initial, by: method)
        })
      progress.update(completed: results.count, note: method.title)
    }
    let truth = data.simulated?.truth(
      discount: setting.discount, rollouts: rollouts ?? 20_000, generator: generator.split(key: 2))
    progress.update(completed: methods.count + 1, note: "truth")
    progress.finish()
    let report = EstimateReport(data, setting, results, truth: truth, seed: evaluation.seed)
    try files.publish(report, text: report.text(results[0].summary()))
  }
}

/// The results of `estimate`.
struct EstimateReport: Report {
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
    // A score that hardly depends on some coefficients has a root of no use, whose interval may still
    // hold the truth by its length.
    func error(_ method: FittedQEvaluation.Method) -> Double? {
      results.first { $0.method == method }?.value.report().standardErrors[0]
    }
    if let orthogonal = error(.orthogonal), let temporal = error(.temporalDifference),
      orthogonal > 10 * temporal
    {
      warnings =
        results.flatMap(\.warnings).map { $0 + "." } + [
          "The standard error of the orthogonal value is "
            + "\(Numbers.significant(orthogonal / temporal, digits: 2)) times that of LSTD: the slope "
            + "of the score is nearly singular; use fewer features, --ridge or --repeats."
        ]
    } else {
      warnings = results.flatMap(\.warnings).map { $0 + "." }
    }
  }

  private var columns: [Column<MethodReport>] {
    [
      .init("method", csv: "method", text: \.method), .init("value", csv: "value") { $0.value },
      .init("std err", csv: "standardError", .significant(3), \.standardError),
      .init("95 % interval") {
        "\(Numbers.significant($0.interval[0])) to \(Numbers.significant($0.interval[1]))"
      },
      .init(nil, csv: "intervalLower") { $0.interval[0] },
      .init(nil, csv: "intervalUpper") { $0.interval[1] },
      .init(nil, csv: "truth") { _ in truth?.value },
    ]
  }

  var text: String { text("") }

  /// What is printed.
  ///
  /// - Parameter summary: Of the orthogonal method.
  func text(_ summary: String) -> String {
    var parts = [
      "Evaluated: \(policy)\nData: \(data)\nRepeat with: \(Repetition.text(seed: seed))", summary,
      "Methods\n" + methods.table(columns),
    ]
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
    let distance = methods[0].value - truth.value
    let known =
      "The value is \(Numbers.significant(truth.value)) \(source); the orthogonal estimate is off "
      + "by \(Numbers.significant(distance, digits: 3))"
    if !warnings.isEmpty { return wrapped(known + ".") }
    let errors = Numbers.significant(abs(distance) / methods[0].standardError, digits: 2)
    return wrapped(
      """
      \(known), which is \(errors) of its standard errors. That is chance and, where the features \
      cannot express the action value, what they leave out: intervals account for chance only.
      """)
  }

  var csv: CSVWriter { methods.csv(columns) }

  /// The values of all methods beside the truth.
  var figure: SVGFigure {
    SVGFigure(
      title: "Value of the policy",
      subtitle: "\(data), \(Numbers.count(transitions)) transitions; whiskers are 95 % intervals",
      panels: [
        .rows(
          methods.map(\.method), xAxis: SVGAxis("discounted value"),
          rule: (truth?.value, "truth"), plotHeight: 180
        ) { row, y in
          let interval = methods[row].interval
          return [
            .interval(
              methods[row].value, interval[0]...interval[1], at: y, color: SVGColor.series(row))
          ]
        }
      ])
  }
}
