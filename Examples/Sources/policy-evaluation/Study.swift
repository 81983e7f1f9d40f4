import ArgumentParser
import Autodiff
import ControlProblems
import ExampleSupport
import Orthogonal
import TensorFiles

/// `policy-evaluation study`: how often intervals cover the truth.
struct StudyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "study",
    abstract: "Repeat a simulation and count how often intervals cover the truth.",
    discussion: """
      Each replication has random numbers of its own, so results do not depend on the number of \
      processors. The truth is that of the policy: a method whose features cannot express the \
      action value misses it on any amount of data, and the table shows by how much.
      """)

  @Option(help: "The policy to evaluate; with it comes its process.")
  var policy: BuiltInPolicy = .proportional

  @Option(help: "The number of replications.")
  var replications = 100

  @OptionGroup var simulation: SimulationOptions

  @Option(help: "The number of rollouts for the truth, where there is no closed form.")
  var rollouts = 100_000

  @OptionGroup var evaluation: EvaluationOptions
  @OptionGroup var outputs: OutputOptions

  func validate() throws {
    try requireAtLeast(2, ("--replications", replications), ("--rollouts", rollouts))
  }

  func run() throws {
    let results = try outputs.results("study.csv", "study.svg")
    let jobs = Parallelism.threadCount
    try simulation.requireMemory(for: policy.process, count: jobs)
    let generator = PhiloxGenerator(seed: evaluation.seed)
    let truth = policy.truth(
      discount: evaluation.discount, rollouts: rollouts, generator: generator.split(key: 2))
    let draws = generator.split(key: 3)
    let progress = ProgressMeter(label: "study", total: replications, unit: "replication")
    var outcomes: [Int: StudyOutcome] = [:]
    let (policy, evaluation, simulation) = (policy, evaluation, simulation)
    try runConcurrently(
      Array(0..<replications), jobs: jobs,
      making: {
        { index in
          let generator = draws.split(key: UInt64(index))
          return (index, try StudyOutcome(policy, evaluation, simulation, generator: generator))
        }
      }
    ) { index, outcome in
      outcomes[index] = outcome
      progress.update(completed: outcomes.count)
    }
    progress.finish()
    try results.publish(
      StudyReport(
        policy, evaluation, truth: truth, (0..<replications).compactMap { outcomes[$0] }))
  }
}

/// What one replication found, for each method.
struct StudyOutcome: Sendable {
  let transitions: Int
  let values: [Double]
  let standardErrors: [Double]
  let bellmanError: Double

  /// Simulates and evaluates.
  init(
    _ policy: BuiltInPolicy, _ options: EvaluationOptions, _ simulation: SimulationOptions,
    generator: PhiloxGenerator
  ) throws {
    let data = try EvaluationData(policy, simulation, generator: generator)
    let setting = try options.evaluation(
      of: data.transitions, hasNumberedActions: data.hasNumberedActions, process: policy.process)
    let results = try EvaluationFailure.told {
      try FittedQEvaluation.Method.allCases.map {
        try setting.evaluate(data.policy, on: data.transitions, from: data.initial, by: $0)
      }
    }
    transitions = data.transitions.count
    values = results.map { $0.value.value[0].scalar }
    standardErrors = results.map { $0.value.standardErrors[0].scalar }
    bellmanError = results.compactMap(\.bellmanError).first?.rootMeanSquare ?? .nan
  }
}

/// The results of `study`.
struct StudyReport: Report {
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
    _ policy: BuiltInPolicy, _ evaluation: EvaluationOptions, truth: SimulatedValue,
    _ outcomes: [StudyOutcome]
  ) {
    self.policy = policy
    (discount, seed) = (evaluation.discount, evaluation.seed)
    self.truth = truth
    replications = outcomes.count
    meanTransitions = outcomes.map { Double($0.transitions) }.mean
    meanBellmanError = outcomes.map(\.bellmanError).mean
    lines = FittedQEvaluation.Method.allCases.enumerated().map { position, method in
      let errors = outcomes.map { $0.values[position] - truth.value }
      let standardErrors = outcomes.map { $0.standardErrors[position] }
      let table = ErrorTable(errors.map { [$0] })
      let coverage = HitTable(
        errors: errors.map { [$0] }, standardErrors: standardErrors.map { [$0] }
      ).mean
      return Line(
        method: method.title, bias: errors.mean, deviation: table.deviation,
        rootMeanSquare: table.rootMeanSquare, standardError: standardErrors.mean,
        coverage: coverage,
        coverageError: (coverage * (1 - coverage) / Double(outcomes.count)).squareRoot(),
        values: outcomes.map { $0.values[position] })
    }
  }

  private var columns: [Column<Line>] {
    [
      .init("method", csv: "method", text: \.method),
      .init("bias", csv: "bias", .significant(3), \.bias),
      .init("sd", csv: "standardDeviation", .significant(3), \.deviation),
      .init("RMSE", csv: "rootMeanSquareError", .significant(3), \.rootMeanSquare),
      .init("std err", csv: "meanStandardError", .significant(3), \.standardError),
      .init("coverage (se)") {
        "\(Numbers.fixed($0.coverage, decimals: 3)) "
          + "(\(Numbers.fixed($0.coverageError, decimals: 3)))"
      }, .init(nil, csv: "coverage") { $0.coverage },
      .init(nil, csv: "coverageStandardError") { $0.coverageError },
    ]
  }

  var csv: CSVWriter { lines.csv(columns) }

  var text: String {
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

      \(lines.table(columns))

      \(wrapped(
        """
        'std err' is the mean of the estimated standard errors, which should match 'sd'; coverage is \
        that of 95 % intervals for the value of the policy. The mean Bellman error of the \
        orthogonal method is \(Numbers.significant(meanBellmanError, digits: 3)): where features \
        cannot express the action value, a bias remains that no interval accounts for.
        """))
      """
  }

  var figure: SVGFigure {
    SVGFigure(
      title: "Value of the policy over \(replications) replications",
      subtitle: "boxes are quartiles; whiskers of coverage are its 95 % Monte Carlo intervals",
      panels: [
        .rows(
          lines.map(\.method), title: "Estimates", xAxis: SVGAxis("discounted value"),
          rule: (truth.value, "truth"), plotHeight: 180
        ) { row, y in
          Distribution(lines[row].values).map { [.box($0, at: y, color: SVGColor.series(row))] }
            ?? []
        },
        .rows(
          lines.map(\.method), title: "Coverage of 95 % intervals",
          xAxis: SVGAxis("share of replications", domain: 0...1), rule: (0.95, "95 %"),
          plotHeight: 180
        ) { row, y in
          let (coverage, half) = (lines[row].coverage, 1.96 * lines[row].coverageError)
          let range = max(0, coverage - half)...min(1, coverage + half)
          return [.interval(coverage, range, at: y, color: SVGColor.series(row))]
        },
      ])
  }
}
