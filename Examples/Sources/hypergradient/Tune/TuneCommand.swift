import ArgumentParser
import Autodiff
import ExampleSupport
import HyperparameterProblems

/// `hypergradient tune`: one penalty per feature, chosen on validation data.
struct TuneCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tune",
    abstract: "Choose one penalty per feature by descent on the validation loss.",
    discussion: """
      Fits ridge or logistic regression with the penalty Σ exp(yᵢ) xᵢ² / (2d) on the training rows \
      and moves y along the hypergradient of the mean loss on the validation rows, by several methods \
      in turn. Features are standardised by the training rows, and the labels of a regression \
      centred, unless --no-standardize is given. Compared with the best common penalty, with none, \
      and on rows that neither training nor tuning saw. Times are those of the iterations alone. \
      Ctrl-C keeps the state and prints the command that goes on.

      \(TuneMethod.help)
      """)

  @Option(
    help: ArgumentHelp("The loss of a row; 'logistic' for two classes.", valueName: "loss"))
  var loss: RowLoss = .squared

  @OptionGroup var data: DataOptions

  @Flag(inversion: .prefixedNo, help: "Standardise the features.")
  var standardize = true

  @OptionGroup var tuning: TuneOptions
  @OptionGroup var shared: SharedOptions

  func validate() throws {
    try shared.requireJSON(apartFrom: data.files + [tuning.resume].compactMap { $0 })
  }

  func run() throws {
    let methods = try tuning.parsedMethods()
    // What cannot be written should not be computed.
    let directory = try shared.outputDirectory()
    let lock = try DirectoryLock(directory: directory.path, program: "hypergradient tune")
    defer { withExtendedLifetime(lock) {} }
    let rows = try TuneRows(
      data, loss: loss, testFraction: tuning.testFraction, standardizes: standardize,
      work: tuning.work(of: methods))
    let problem = try TuneProblem(rows, loss: loss)
    let settings = try tuning.settings(size: problem.size)
    var state = TuneState(problem, settings)
    if let path = tuning.resume {
      let earlier = try TuneState(contentsOfFile: path)
      try earlier.requireSame(as: state, path: path)
      state.runs = earlier.runs
    }
    let outputs = TuneReport.files(in: directory) + [Self.statePath(directory)]
    let replaced = SharedOptions.existing(outputs)
    try advance(&state, methods, problem, directory)

    let runs = methods.compactMap { state.run(of: $0) }
    let results = TuneResult.results(runs, problem, settings)
    let report = TuneReport(
      problem, settings, results, try TuneBaselines(problem, bounds: settings.bounds), runs)
    print(report.text)
    try report.write(to: directory)
    print("\n" + SharedOptions.writtenText(outputs, replaced: replaced))
    try shared.writeResults(report)
  }

  private static func statePath(_ directory: OutputDirectory) -> String {
    directory.file("tune-state.json")
  }

  private func advance(
    _ state: inout TuneState, _ methods: [TuneMethod], _ problem: TuneProblem,
    _ directory: OutputDirectory
  ) throws {
    let (settings, limit) = (state.settings, state.settings.iterations + 1)
    let meter = ProgressMeter(label: "tune", total: methods.count * limit, unit: nil)
    var checkpoint = Checkpoint(
      path: Self.statePath(directory), interval: tuning.checkpointInterval)
    let interruption = Interruption()
    defer { interruption.end() }
    for (index, method) in methods.enumerated() {
      var run = state.run(of: method) ?? MethodRun(method, problem, settings)
      let others = state.runs.filter { $0.method != method.name }
      try run.advance(problem, by: method, settings) { run in
        let loss = run.steps.last.map { Numbers.significant($0.validationLoss, digits: 6) } ?? "–"
        meter.update(
          completed: index * limit + min(run.steps.count, limit),
          note: "\(method.name) (\(index + 1) of \(methods.count)): iteration "
            + "\(max(0, run.steps.count - 1)) of at most \(settings.iterations), loss \(loss)")
        let state = { TuneState(problem, settings, runs: others + [run]) }
        try checkpoint.write(state(), now: interruption.isRequested)
        if interruption.isRequested {
          meter.finish()
          throw Interrupted(
            state: "the state is in \(checkpoint.path)", resumingFrom: checkpoint.path)
        }
      }
      state.runs = others + [run]
      meter.update(completed: (index + 1) * limit, note: method.name)
    }
    try checkpoint.write(state, now: true)
    meter.finish()
  }
}

extension RowLoss: ExpressibleByArgument {}
