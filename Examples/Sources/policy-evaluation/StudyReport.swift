import Autodiff
import ControlProblems
import ExampleSupport
import Inference
import Orthogonal
import TensorFiles

/// What one replication found, for each method.
struct StudyOutcome: Sendable {
  let transitions: Int
  let values: [Double]
  let standardErrors: [Double]
  let bellmanError: Double

  /// Simulates and evaluates.
  static func replication(
    _ policy: BuiltInPolicy, _ options: EvaluationOptions, trajectories: Int?, limit: Int?,
    generator: PhiloxGenerator
  ) throws -> StudyOutcome {
    let data = try EvaluationData(
      policy, trajectories: trajectories, limit: limit, generator: generator)
    let setting = try options.evaluation(
      of: data.transitions, hasNumberedActions: data.hasNumberedActions, process: policy.process)
    let results = try EvaluationFailure.told {
      try FittedQEvaluation.Method.allCases.map {
        try setting.evaluate(data.policy, on: data.transitions, from: data.initial, by: $0)
      }
    }
    return StudyOutcome(
      transitions: data.transitions.count, values: results.map { $0.value.value[0].scalar },
      standardErrors: results.map { $0.value.standardErrors[0].scalar },
      bellmanError: results.compactMap(\.bellmanError).first?.rootMeanSquare ?? .nan)
  }
}

/// The results of `study`.
struct StudyReport: Encodable {
  /// A method over all replications.
  struct Line: Encodable {
    let method: String
    /// Mean, standard deviation and root mean square of the errors.
    let bias: Double
    let deviation: Double
    let rootMeanSquare: Double
    /// The mean of the standard errors.
    let standardError: Double
    /// The share of 95 % intervals with the truth inside, and its Monte Carlo standard error.
    let coverage: Double
    let coverageError: Double
    let values: [Double]
  }

  let policy: BuiltInPolicy
  let discount: Double
  let seed: UInt64
  /// The library of linear algebra and its threads, on which the rounding depends.
  let linearAlgebra = Repetition.linearAlgebra
  let replications: Int
  let meanTransitions: Double
  let meanBellmanError: Double
  let truth: SimulatedValue
  let lines: [Line]

  init(
    policy: BuiltInPolicy, discount: Double, truth: SimulatedValue, outcomes: [StudyOutcome],
    seed: UInt64
  ) {
    self.policy = policy
    self.discount = discount
    self.seed = seed
    self.truth = truth
    let count = Double(outcomes.count)
    replications = outcomes.count
    meanTransitions = outcomes.map { Double($0.transitions) }.reduce(0, +) / count
    meanBellmanError = outcomes.map(\.bellmanError).reduce(0, +) / count
    let quantile = -NormalDistribution.quantile(0.025)
    lines = FittedQEvaluation.Method.allCases.enumerated().map { position, method in
      let errors = outcomes.map { $0.values[position] - truth.value }
      let bias = errors.reduce(0, +) / count
      let variance = errors.map { ($0 - bias) * ($0 - bias) }.reduce(0, +) / (count - 1)
      let covered = zip(errors, outcomes).count {
        abs($0) <= quantile * $1.standardErrors[position]
      }
      let coverage = Double(covered) / count
      return Line(
        method: method.title, bias: bias, deviation: variance.squareRoot(),
        rootMeanSquare: (errors.map { $0 * $0 }.reduce(0, +) / count).squareRoot(),
        standardError: outcomes.map { $0.standardErrors[position] }.reduce(0, +) / count,
        coverage: coverage, coverageError: (coverage * (1 - coverage) / count).squareRoot(),
        values: outcomes.map { $0.values[position] })
    }
  }

  func text() -> String {
    var table = TextTable(header: ["method", "bias", "sd", "RMSE", "std err", "coverage (se)"])
    for line in lines {
      table.append(
        [line.method]
          + [line.bias, line.deviation, line.rootMeanSquare, line.standardError].map {
            Numbers.significant($0, digits: 3)
          } + [
            "\(Numbers.fixed(line.coverage, decimals: 3)) "
              + "(\(Numbers.fixed(line.coverageError, decimals: 3)))"
          ])
    }
    let truthError =
      truth.rollouts == 0
      ? " in closed form"
      : " ± \(Numbers.significant(truth.standardError, digits: 2)) "
        + "(\(Numbers.count(truth.rollouts)) rollouts)"
    return """
      Value of the policy \(policy.title), discount \(Numbers.short(discount))
      \(replications) replications of \(Numbers.count(Int(meanTransitions.rounded()))) transitions \
      on average; truth \(Numbers.significant(truth.value))\(truthError)
      \(Repetition.text(seed: seed))

      \(table.text())

      \(wrapped(
        """
        'std err' is the mean of the estimated standard errors, which should match 'sd'; coverage is \
        that of 95 % intervals for the value of the policy. The mean Bellman error of the \
        orthogonal method is \(Numbers.significant(meanBellmanError, digits: 3)): where features \
        cannot express the action value, a bias remains that no interval accounts for.
        """))
      """
  }

  func writeTable(to path: String) throws {
    var writer = CSVWriter(columnNames: [
      "method", "bias", "standardDeviation", "rootMeanSquareError", "meanStandardError",
      "coverage", "coverageStandardError",
    ])
    for line in lines {
      writer.append(
        [.text(line.method)]
          + [
            line.bias, line.deviation, line.rootMeanSquare, line.standardError, line.coverage,
            line.coverageError,
          ].map(CSVValue.number))
    }
    try writer.write(toFile: path)
  }

  func figure() -> SVGFigure {
    let names = SVGAxis("", scale: .categories(lines.map(\.method)))
    var estimates = [SVGMark(.verticalRule(truth.value), label: "truth", color: SVGColor.gray)]
    var coverages = [SVGMark(.verticalRule(0.95), label: "95 %", color: SVGColor.gray)]
    for (position, line) in lines.enumerated() {
      let color = SVGColor.series[position % SVGColor.series.count]
      if let distribution = Distribution(line.values) {
        estimates.append(.box(distribution, at: Double(position), color: color))
      }
      let half = 1.96 * line.coverageError
      coverages.append(
        SVGMark(
          .horizontalIntervals(
            [SVGPoint(line.coverage, Double(position))],
            ranges: [max(0, line.coverage - half)...min(1, line.coverage + half)]),
          color: color))
    }
    return SVGFigure(
      title: "Value of the policy over \(replications) replications",
      subtitle: "boxes are quartiles; whiskers of coverage are its 95 % Monte Carlo intervals",
      panels: [
        SVGPanel(
          title: "Estimates", xAxis: SVGAxis("discounted value"), yAxis: names, marks: estimates,
          plotHeight: 180),
        SVGPanel(
          title: "Coverage of 95 % intervals",
          xAxis: SVGAxis("share of replications", domain: 0...1), yAxis: names, marks: coverages,
          plotHeight: 180),
      ])
  }
}
