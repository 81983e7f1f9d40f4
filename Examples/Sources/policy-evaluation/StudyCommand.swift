import ArgumentParser
import Autodiff
import Bilevel
import ControlProblems
import Dispatch
import ExampleSupport
import Synchronization

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

  @Option(help: "The number of trajectories of each.")
  var trajectories: Int?

  @Option(help: "The most transitions of a trajectory.")
  var limit: Int?

  @Option(help: "The number of rollouts for the truth, where there is no closed form.")
  var rollouts = 100_000

  @OptionGroup var evaluation: EvaluationOptions
  @OptionGroup var outputs: OutputOptions

  func validate() throws {
    for (value, name) in [(trajectories, "trajectories"), (limit, "limit")] {
      if let value, value < 1 { throw ValidationError("--\(name) must be at least 1") }
    }
    guard replications >= 2 else { throw ValidationError("--replications must be at least 2") }
    guard rollouts >= 2 else { throw ValidationError("--rollouts must be at least 2") }
  }

  func run() throws {
    let directory = try outputs.directory()
    try policy.process.requireMemory(
      trajectories: trajectories, limit: limit, count: Parallelism.threadCount)
    let generator = PhiloxGenerator(seed: evaluation.seed)
    let discount = evaluation.discount
    let truth = policy.truth(
      discount: discount, rollouts: rollouts, generator: generator.split(key: 2))
    let outcomes = try outcomes(generator.split(key: 3))
    let report = StudyReport(
      policy: policy, discount: discount, truth: truth, outcomes: outcomes, seed: evaluation.seed)
    print(report.text())
    let files = [directory.file("study.csv"), directory.file("study.svg")]
    try report.writeTable(to: files[0])
    try report.figure().write(to: files[1])
    print("\nWrote \(files.joined(separator: " and "))")
    try outputs.writeResults(report)
  }

  /// All replications, on all processors.
  private func outcomes(_ generator: PhiloxGenerator) throws -> [StudyOutcome] {
    // Replications are small: processors are better used by many of them than within one.
    let threads = Parallelism.threadCount
    Parallelism.threadCount = 1
    defer { Parallelism.threadCount = threads }
    let total = replications
    let (policy, evaluation, trajectories, limit) = (policy, evaluation, trajectories, limit)
    let work = Mutex(StudyWork(total: total))
    DispatchQueue.concurrentPerform(iterations: threads) { _ in
      while let replication = work.withLock({ $0.next() }) {
        let result = Result {
          try StudyOutcome.replication(
            policy, evaluation, trajectories: trajectories, limit: limit,
            generator: generator.split(key: UInt64(replication)))
        }
        work.withLock { $0.finish(replication, result) }
      }
    }
    return try work.withLock { try $0.outcomes() }
  }
}

/// What is done and what is to do, shared by threads.
private struct StudyWork {
  private var started = 0
  private var finished = 0
  private var results: [Result<StudyOutcome, any Error>?]
  private let progress: ProgressMeter

  init(total: Int) {
    results = Array(repeating: nil, count: total)
    progress = ProgressMeter(label: "study", total: total, unit: "replication")
  }

  /// The next replication; nil when all are started or one failed.
  mutating func next() -> Int? {
    guard started < results.count else { return nil }
    defer { started += 1 }
    return started
  }

  mutating func finish(_ replication: Int, _ result: Result<StudyOutcome, any Error>) {
    results[replication] = result
    finished += 1
    if case .failure = result { started = results.count }
    progress.update(completed: finished)
  }

  /// In the order of replications.
  func outcomes() throws -> [StudyOutcome] {
    progress.finish()
    return try results.compactMap { try $0?.get() }
  }
}
