import Autodiff
import Dispatch
import ExampleSupport
import Foundation
import Synchronization

/// Makes the replications that are missing, some at once, each on one thread.
struct StudyRunner<Specification: StudySpecification> {
  let specification: Specification
  let jobs: Int
  let interruption: Interruption

  /// Runs tasks and hands over every result as it comes, on the calling thread.
  ///
  /// - Returns: Whether all were run; false after an interruption.
  func run(
    _ tasks: [StudyTask], _ keep: (Specification.Replication) throws -> Void
  ) throws -> Bool {
    guard !tasks.isEmpty else { return true }
    // Replications are independent, so a thread each is faster than many threads on each.
    Parallelism.threadCount = 1
    let queue = TaskQueue<Specification.Replication>(tasks)
    let progress = ProgressMeter(
      label: specification.label, total: tasks.count, unit: "replication")
    defer { progress.finish() }
    let workers = (0..<min(jobs, tasks.count)).map { _ in
      Worker.start(queue, specification)
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
          progress.update(completed: completed, note: "n = \(tasks[completed - 1].size)")
        } catch {
          failure = failure ?? error
        }
      }
      if interruption.isRequested || failure != nil { queue.close() }
      if haveEnded { break }
      queue.waitForResults()
    }
    if let failure { throw failure }
    return completed == tasks.count
  }
}

/// Tasks that wait and results that nobody has taken yet.
private final class TaskQueue<Replication: Sendable>: Sendable {
  private struct State {
    var tasks: ArraySlice<StudyTask>
    var results: [Result<Replication, any Error>] = []
  }

  private let state: Mutex<State>
  private let news = DispatchSemaphore(value: 0)

  init(_ tasks: [StudyTask]) { state = Mutex(State(tasks: tasks[...])) }

  func next() -> StudyTask? { state.withLock { $0.tasks.popFirst() } }

  /// Lets workers end after the task they are at.
  func close() { state.withLock { $0.tasks = [] } }

  func put(_ result: Result<Replication, any Error>) {
    state.withLock { $0.results.append(result) }
    news.signal()
  }

  func takeResults() -> [Result<Replication, any Error>] {
    state.withLock { state in
      defer { state.results = [] }
      return state.results
    }
  }

  /// Returns when there is something to take or a moment has passed.
  func waitForResults() { _ = news.wait(timeout: .now() + .milliseconds(50)) }
}

/// Threads that take tasks until there is none.
private enum Worker {
  static func start<Specification: StudySpecification>(
    _ queue: TaskQueue<Specification.Replication>, _ specification: Specification
  ) -> Thread {
    let thread = Thread {
      let make = specification.maker()
      while let task = queue.next() { queue.put(Result { try make(task) }) }
    }
    // Secondary threads have far less than the main one by default.
    thread.stackSize = 8 << 20
    thread.start()
    return thread
  }
}
