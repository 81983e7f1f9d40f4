import ArgumentParser
import Autodiff
import Dispatch
import Foundation
import Synchronization

/// How many replications a study has, and how they are made.
public struct StudyOptions: ParsableArguments {
  /// Samples of each size.
  @Option(help: "Samples drawn of each size, at least 2.")
  public var replications = 1000

  @Option(help: "Replications at once, a thread each. (default: the processors)")
  var jobs: Int?

  @Flag(help: "Keep the replications that the output directory holds, and make the others.")
  var resume = false

  public init() {}

  public func validate() throws {
    try requireRange(
      ("--replications", replications, 2...1_000_000), ("--jobs", jobs, 1...1024))
  }
}

/// A study of samples: what is made of each, and all that it depends on.
public protocol Study: Sendable {
  /// What is kept of one sample.
  associatedtype Replication: Codable & Sendable

  /// A name that changes where the same options give other numbers.
  static var format: String { get }
  /// A word for progress lines.
  var label: String { get }
  /// The options, as errors name them.
  var options: [StudyOption] { get }
  /// The seed of all samples.
  var seed: UInt64 { get }

  /// What a replication takes of memory, in bytes, at most.
  func byteCount(size: Int) -> Double

  /// What makes replications; one is made for every thread.
  func maker() -> (StudyTask, inout PhiloxGenerator) throws -> Replication
}

/// A sample of a study by its size and its number, from 0.
public struct StudyTask: Hashable, Codable, Sendable {
  /// Rows.
  public let size: Int
  /// Which one of this size.
  public let index: Int
}

/// A line of the file: a sample and what is kept of it.
private struct StudyRecord<Replication: Codable & Sendable>: Codable, Sendable {
  let task: StudyTask
  let replication: Replication
}

extension Study {
  /// Makes the replications that the file does not hold yet.
  ///
  /// - Returns: For every size all replications, in the order of their numbers.
  public func replications(
    of sizes: [Int], _ runs: StudyOptions, in path: String
  ) throws -> [[Replication]] {
    let jobs = runs.jobs ?? ProcessInfo.processInfo.activeProcessorCount
    try requireMemory(sizes: sizes, count: min(jobs, runs.replications * sizes.count))
    // From before there is a file, so that whoever sees it can interrupt.
    let interruption = Interruption(
      announcement: "stopping after these replications; Ctrl-C again stops now")
    defer { interruption.end() }
    let file = StudyFile<StudyRecord<Replication>>(
      path: path, format: Self.format, options: options)
    try file.open(resumes: runs.resume)
    let kept = Set(file.records.map(\.task))
    let tasks = sizes.map { size in
      (0..<runs.replications).map { StudyTask(size: size, index: $0) }
    }
    let missing = tasks.joined().filter { !kept.contains($0) }
    let progress = ProgressMeter(label: label, total: missing.count, unit: "replication")
    defer { progress.finish() }
    var completed = 0
    let isComplete = try runConcurrently(
      missing, jobs: jobs, until: interruption,
      making: {
        let make = maker()
        return { task in
          // Neither the order of replications nor what else is run changes the numbers.
          var generator = PhiloxGenerator(seed: seed).split(key: UInt64(task.size))
            .split(key: UInt64(task.index))
          return StudyRecord(task: task, replication: try make(task, &generator))
        }
      }
    ) { record in
      try file.append(record)
      completed += 1
      progress.update(completed: completed, note: "n = \(missing[completed - 1].size)")
    }
    guard isComplete else {
      throw Interrupted(
        state: "the \(Numbers.count(file.records.count)) replications so far are in \(path)",
        resumingFrom: nil)
    }
    // In the order of tasks, so that the order of completion leaves no trace in sums.
    let results = Dictionary(file.records.map { ($0.task, $0.replication) }) { first, _ in first }
    return tasks.map { $0.compactMap { results[$0] } }
  }

  /// Refuses samples so large that those at work at a time do not fit.
  private func requireMemory(sizes: [Int], count: Int) throws(NotEnoughMemory) {
    let largest = sizes.max() ?? 0
    try NotEnoughMemory.refuse(
      Double(count) * byteCount(size: largest),
      for: "\(count == 1 ? "a replication" : "\(count) replications at a time") of "
        + "\(Numbers.count(largest)) rows")
  }
}

/// Runs tasks, some at once, each on one thread, and hands over every result as it comes, on the calling
/// thread.
///
/// - Parameters:
///   - jobs: The number of threads.
///   - interruption: When it is requested, or a task fails, no further task is begun.
///   - making: What runs tasks; one is made for every thread.
///   - meanwhile: Called many times a second, with whether no further task will be begun.
///   - keep: Called with each result.
/// - Returns: Whether all were run; false after an interruption.
/// - Throws: The first failure of a task, after the end of those at work.
@discardableResult
public func runConcurrently<Task: Sendable, Output: Sendable>(
  _ tasks: [Task], jobs: Int, until interruption: Interruption? = nil,
  making: @escaping @Sendable () -> (Task) throws -> Output,
  meanwhile: (_ isStopping: Bool) -> Void = { _ in }, keep: (Output) throws -> Void
) throws -> Bool {
  guard !tasks.isEmpty else { return true }
  // Tasks are independent, so a thread each is faster than many threads on each.
  let threadCount = Parallelism.threadCount
  Parallelism.threadCount = 1
  defer { Parallelism.threadCount = threadCount }
  let queue = TaskQueue<Task, Output>(tasks)
  let workers = (0..<min(jobs, tasks.count)).map { _ in
    let thread = Thread {
      let make = making()
      while let task = queue.next() { queue.put(Result { try make(task) }) }
    }
    // Secondary threads have far less than the main one by default.
    thread.stackSize = 8 << 20
    thread.start()
    return thread
  }
  var completed = 0
  var failure: (any Error)?
  while true {
    // Looked at before the results are taken, so that none comes after the last look.
    let haveEnded = workers.allSatisfy(\.isFinished)
    for result in queue.takeResults() {
      do {
        try keep(try result.get())
        completed += 1
      } catch {
        failure = failure ?? error
      }
    }
    let isStopping = failure != nil || interruption?.isRequested == true
    if isStopping { queue.close() }
    meanwhile(isStopping)
    if haveEnded { break }
    queue.waitForResults()
  }
  if let failure { throw failure }
  return completed == tasks.count
}

/// Tasks that wait and results that nobody has taken yet.
private final class TaskQueue<Task: Sendable, Output: Sendable>: Sendable {
  private let state: Mutex<(tasks: ArraySlice<Task>, results: [Result<Output, any Error>])>
  private let news = DispatchSemaphore(value: 0)

  init(_ tasks: [Task]) { state = Mutex((tasks[...], [])) }

  func next() -> Task? { state.withLock { $0.tasks.popFirst() } }

  /// Lets workers end after the task they are at.
  func close() { state.withLock { $0.tasks = [] } }

  func put(_ result: Result<Output, any Error>) {
    state.withLock { $0.results.append(result) }
    news.signal()
  }

  func takeResults() -> [Result<Output, any Error>] {
    state.withLock { state in
      defer { state.results = [] }
      return state.results
    }
  }

  /// Returns when there is something to take or a moment has passed.
  func waitForResults() { _ = news.wait(timeout: .now() + .milliseconds(50)) }
}
