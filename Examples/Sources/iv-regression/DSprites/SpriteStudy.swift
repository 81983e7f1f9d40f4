import Autodiff
import ExampleSupport
import Foundation
import SpriteRegression

/// Makes the runs that are missing, some at once.
struct SpriteStudy {
  let runs: SpriteRuns
  let specifications: [SpriteSpecification]
  let jobs: Int
  /// Iterations from one checkpoint of a run to the next.
  let checkpointInterval: Int

  /// Makes all runs that have not ended yet.
  ///
  /// - Parameter finished: Those that have.
  /// - Returns: All runs, in the order of the specifications.
  func complete(_ finished: [SpriteRun]) throws -> [SpriteRun] {
    var results = Dictionary(uniqueKeysWithValues: finished.map { ($0.specification.name, $0) })
    let pending = specifications.filter { results[$0.name] == nil }
    var progress = SpriteProgress(pending, finished: finished, jobs: jobs)
    let processes = SpriteProcesses()
    let interruption = Interruption(
      announcement: "stopping after this iteration; Ctrl-C again stops now",
      abandon: { processes.signal(SIGKILL) })
    defer {
      progress.finish()
      interruption.end()
    }
    let (runs, interval) = (runs, checkpointInterval)
    let threadCount = max(1, Parallelism.threadCount / jobs)
    var hasStopped = false
    do {
      try runConcurrently(
        pending, jobs: jobs, until: interruption,
        making: {
          { run in
            let command = SpriteRunCommand.configuration.commandName ?? ""
            try processes.run(
              run, arguments: [command, jsonText(run), runs.directory, "\(interval)"],
              threadCount: threadCount)
            return try runs.result(of: run)
          }
        },
        meanwhile: { isStopping in
          // All runs keep their states; a second request would end them at once.
          if isStopping, !hasStopped { processes.signal(SIGTERM) }
          hasStopped = isStopping
          progress.update(ended: Set(results.keys), running: processes.running)
        }
      ) { run in
        results[run.specification.name] = run
        progress.note(run)
      }
    } catch {
      // Runs that were asked to stop say that they have not ended.
      if !interruption.isRequested { throw error }
    }
    if interruption.isRequested {
      throw Interrupted(
        state: "runs that have ended, and the others so far, are kept in \(runs.directory)",
        resumingFrom: nil)
    }
    return specifications.compactMap { results[$0.name] }
  }
}

/// How far all runs are, and how long they will take.
private struct SpriteProgress {
  private let meter: ProgressMeter
  private let pending: [SpriteSpecification]
  private let jobs: Int
  /// Seconds per iteration of runs that have ended, by method.
  private var rates: [SpriteMethod: Double] = [:]

  init(_ pending: [SpriteSpecification], finished: [SpriteRun], jobs: Int) {
    (self.pending, self.jobs) = (pending, jobs)
    meter = ProgressMeter(
      label: "dsprites", total: pending.reduce(0) { $0 + $1.settings.iterations }, unit: nil)
    for run in finished { note(run) }
  }

  /// Learns from a run that has ended.
  mutating func note(_ run: SpriteRun) {
    rates[run.specification.method] = run.secondsPerIteration
  }

  /// Shows the line.
  ///
  /// - Parameter ended: The names of the runs that have ended.
  func update(ended: Set<String>, running: [SpriteProcesses.Running]) {
    var rates = rates
    var done: [String: Int] = [:]
    let notes = running.map { run, last in
      guard let last else { return "\(run.name) begins" }
      done[run.name] = last.iteration
      rates[run.method] = last.seconds
      return "\(run.name) \(last.iteration)/\(run.settings.iterations), outer "
        + "\(Numbers.significant(last.outer)), inner \(Numbers.significant(last.inner))"
    }
    let iterations = pending.map { run in
      ended.contains(run.name) ? run.settings.iterations : done[run.name] ?? 0
    }
    let time = left(iterations, rates).map { ["\(Numbers.duration($0)) left"] } ?? []
    meter.update(
      completed: iterations.reduce(0, +), note: (time + notes).joined(separator: "; "))
  }

  /// Ends the line.
  func finish() { meter.finish() }

  /// Seconds to the end of all runs; a method not seen yet is as slow as the others on average.
  private func left(_ done: [Int], _ rates: [SpriteMethod: Double]) -> Double? {
    guard !rates.isEmpty else { return nil }
    let mean = Array(rates.values).mean
    let seconds = zip(pending, done).reduce(0) { sum, pair in
      sum + Double(pair.0.settings.iterations - pair.1) * (rates[pair.0.method] ?? mean)
    }
    return seconds / Double(max(1, min(jobs, pending.count)))
  }
}
