import ArgumentParser
import Autodiff
import ControlProblems
import ExampleSupport
import Orthogonal

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

  @Option(help: "The number of simulated trajectories, without --data.")
  var trajectories: Int?

  @Option(help: "The most transitions of a simulated trajectory, without --data.")
  var limit: Int?

  @Option(help: "The number of rollouts for the truth of a simulation. (default: 20000)")
  var rollouts: Int?

  func validate() throws {
    for (value, name) in [
      (trajectories, "trajectories"), (limit, "limit"), (rollouts, "rollouts"),
    ] {
      guard let value else { continue }
      if value < 1 { throw ValidationError("--\(name) must be at least 1") }
      if columns.data != nil {
        throw ValidationError("--\(name) is for simulation, without --data")
      }
    }
    guard rollouts ?? 2 >= 2 else { throw ValidationError("--rollouts must be at least 2") }
  }

  func run() throws {
    let directory = try outputs.directory(
      apartFrom: [columns.data, columns.initial].compactMap { $0 })
    let methods = FittedQEvaluation.Method.allCases
    let progress = ProgressMeter(label: "estimate", total: methods.count + 1, unit: nil)
    let generator = PhiloxGenerator(seed: evaluation.seed)
    let data: EvaluationData
    if let path = columns.data {
      data = try EvaluationData(columns, from: path)
    } else {
      let policy = columns.policy ?? .leaning
      try policy.process.requireMemory(trajectories: trajectories, limit: limit)
      data = try EvaluationData(
        policy, trajectories: trajectories, limit: limit,
        generator: generator.split(key: 0))
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
    print(report.text(results[0].summary()))
    let files = [directory.file("values.csv"), directory.file("values.svg")]
    try report.writeTable(to: files[0])
    try report.figure().write(to: files[1])
    print("\nWrote \(files.joined(separator: " and "))")
    try outputs.writeResults(report)
  }
}
