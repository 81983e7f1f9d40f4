import ExampleSupport
import SpriteRegression

/// How far all runs are, and how long they will take.
struct SpriteProgress {
  private let meter: ProgressMeter
  private let pending: [SpriteSpecification]
  private let jobs: Int
  /// Seconds per iteration of runs that have ended, by method.
  private var rates: [SpriteMethod: Double] = [:]

  init(_ pending: [SpriteSpecification], finished: [SpriteRun], jobs: Int) {
    self.pending = pending
    self.jobs = jobs
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
  /// - Parameters:
  ///   - ended: The names of the runs that have ended.
  ///   - running: Those that go on.
  func update(ended: Set<String>, running: [SpriteProcess]) {
    var rates = rates
    var done: [String: Int] = [:]
    for process in running {
      guard let event = process.lastEvent else { continue }
      done[process.specification.name] = event.iteration
      rates[process.specification.method] = event.seconds
    }
    let iterations = pending.map { run in
      ended.contains(run.name) ? run.settings.iterations : done[run.name] ?? 0
    }
    meter.update(
      completed: iterations.reduce(0, +), note: note(running, left: left(iterations, rates)))
  }

  /// Ends the line.
  func finish() { meter.finish() }

  private func note(_ running: [SpriteProcess], left: Double?) -> String {
    let runs = running.map { process in
      let run = process.specification
      guard let event = process.lastEvent else { return "\(run.name) begins" }
      return "\(run.name) \(event.iteration)/\(run.settings.iterations), "
        + "outer \(Numbers.significant(event.outer)), inner \(Numbers.significant(event.inner))"
    }
    let time = left.map { ["\(Numbers.duration($0)) left"] } ?? []
    return (time + runs).joined(separator: "; ")
  }

  /// Seconds to the end of all runs; a method not seen yet is as slow as the others on average.
  private func left(_ done: [Int], _ rates: [SpriteMethod: Double]) -> Double? {
    guard !rates.isEmpty else { return nil }
    let mean = rates.values.reduce(0, +) / Double(rates.count)
    let seconds = zip(pending, done).reduce(0) { sum, pair in
      let (run, done) = pair
      return sum + Double(run.settings.iterations - done) * (rates[run.method] ?? mean)
    }
    return seconds / Double(max(1, min(jobs, pending.count)))
  }
}
