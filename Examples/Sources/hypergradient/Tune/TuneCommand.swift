import ArgumentParser
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

  @Option(help: .value("loss", "The loss of a row; 'logistic' for two classes."))
  var loss: RowLoss = .squared

  @OptionGroup var data: DataOptions

  @Flag(inversion: .prefixedNo, help: "Standardise the features.")
  var standardize = true

  @OptionGroup var tuning: TuneOptions
  @OptionGroup var outputs: OutputOptions

  func validate() throws {
    try outputs.requireJSON(apartFrom: data.data, data.validation, tuning.resume)
  }

  func run() throws {
    let methods = try tuning.parsedMethods()
    // What cannot be written should not be computed.
    let results = try outputs.results(
      "tune-iterations.csv", "tune.svg", "tune-state.jsonl", locked: true)
    let problem = try TuneProblem(
      data, loss: loss, testFraction: tuning.testFraction, standardizes: standardize,
      work: tuning.work(of: methods))
    let settings = try tuning.settings(size: problem.size)
    func file(_ path: String) -> StudyFile<MethodRun> {
      StudyFile(path: path, format: Self.format, options: Self.options(problem, settings))
    }
    let earlier = tuning.resume.map(file)
    try earlier?.read()
    var runs = Dictionary(uniqueKeysWithValues: (earlier?.records ?? []).map { ($0.method, $0) })
    let state = file(results.directory.file("tune-state.jsonl"))
    try advance(&runs, methods, problem, settings, state)
    try results.publish(
      TuneReport(
        problem, settings, methods.compactMap { runs[$0.name] },
        try TuneBaselines(problem, bounds: settings.bounds)))
  }

  private static let format = "hypergradient tune state 3"

  /// What going on must share with a run, to give what one uninterrupted run would have given.
  private static func options(
    _ problem: TuneProblem, _ settings: TuneSettings
  ) -> [StudyOption] {
    func number(_ value: Double?) -> String { value.map { "\($0)" } ?? "none" }
    return [
      ("--loss", problem.loss.rawValue), ("the data", problem.data.training.source),
      // Same file and other rows: another fraction or seed, or the file was changed.
      ("the rows (checksum)", problem.checksum), ("--start", number(settings.start)),
      ("--bounds", settings.bounds.map { "\($0)" }.joined(separator: ",")),
      ("--optimizer", settings.rule.rawValue), ("--learning-rate", number(settings.learningRate)),
      ("--tolerance", number(settings.tolerance)), ("--inner-steps", "\(settings.effort.steps)"),
      ("--inner-tolerance", number(settings.effort.tolerance)),
      ("--strength", number(settings.effort.strength)),
    ]
  }

  private func advance(
    _ runs: inout [String: MethodRun], _ methods: [TuneMethod], _ problem: TuneProblem,
    _ settings: TuneSettings, _ file: StudyFile<MethodRun>
  ) throws {
    let limit = settings.iterations + 1
    let meter = ProgressMeter(label: "tune", total: methods.count * limit, unit: nil)
    let interruption = Interruption()
    defer {
      meter.finish()
      interruption.end()
    }
    var written = ContinuousClock.now
    func write(_ runs: [String: MethodRun]) throws {
      try file.replace(by: runs.values.sorted { $0.method < $1.method })
      written = .now
    }
    for (index, method) in methods.enumerated() {
      let name = method.name
      var run = runs[name] ?? MethodRun(method, problem, settings)
      try run.advance(problem, by: method, settings) { run in
        runs[name] = run
        let loss = run.steps.last.map { Numbers.significant($0.validationLoss, digits: 6) } ?? "–"
        meter.update(
          completed: index * limit + min(run.steps.count, limit),
          note: "\(name) (\(index + 1) of \(methods.count)): iteration "
            + "\(max(0, run.steps.count - 1)) of at most \(settings.iterations), loss \(loss)")
        let isDue = (ContinuousClock.now - written) / .seconds(1) >= tuning.checkpointInterval
        if isDue || interruption.isRequested { try write(runs) }
        if interruption.isRequested {
          throw Interrupted(state: "the state is in \(file.path)", resumingFrom: file.path)
        }
      }
      runs[name] = run
      meter.update(completed: (index + 1) * limit, note: name)
    }
    try write(runs)
  }
}

extension RowLoss: ExpressibleByArgument {}
