import ArgumentParser
import Autodiff
import ExampleSupport

/// `benchmark`: times of the library on this machine.
@main
struct Benchmark: ParsableCommand {
  static func main() { runProgram() }

  static let configuration = CommandConfiguration(
    commandName: "benchmark", abstract: "Times the library; checks what it computes.",
    subcommands: [
      WorkloadsCommand.self, ScaleCommand.self, InferenceCommand.self, CertificateCommand.self,
    ],
    defaultSubcommand: WorkloadsCommand.self)
}

/// Where the lines of a table go beside the terminal.
struct JSONOption: ParsableArguments {
  @Option(help: .value("file", "Write the results as JSON to this file."))
  var json: String?

  /// Prints the backend, makes lines, prints them as a table, and writes their JSON.
  ///
  /// - Parameter content: What is written.
  func report<Line: Encodable>(
    _ columns: [Column<Line>], content: ([Line]) -> any Encodable = { $0 },
    _ lines: () throws -> [Line]
  ) throws {
    if let json { try requireWritable(json) }
    print("\(LinearAlgebraBackend.description)")
    let lines = try lines()
    print(lines.table(columns))
    if let json { try writeJSON(content(lines), to: json) }
  }
}

/// `benchmark workloads`, the default: fixed pieces of work that other libraries can run too.
struct WorkloadsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "workloads", abstract: "Times fixed workloads; checks what they compute.",
    discussion: """
      Workloads and their inputs are described in Docs/Benchmarks.md, so that other libraries can \
      be timed on the same ones. Build with -c release, and set ADJOINT_THREADS=1 to compare \
      single threads.
      """)

  @Option(help: "Workloads by name, comma-separated; all if not given.")
  var workloads: String?

  @Option(help: "Seconds to measure each workload.")
  var seconds = 2.0

  @OptionGroup var json: JSONOption

  func run() throws {
    let all = Workload.all
    let known = all.map(\.name)
    let names = try workloads.map {
      try named("--workloads", $0, known: known.joined(separator: ", ")) { name in
        known.first { $0 == name }
      }
    }
    var rows: [Row] = []
    try json.report(
      [
        .init("workload", text: \.name), .init("best") { Self.duration($0.timing.best) },
        .init("median") { Self.duration($0.timing.median) },
        .init("deviation", .significant(1), missing: "", \.deviation),
        .init("what") { row in all.first { $0.name == row.name }?.summary ?? "" },
      ],
      content: { Results(backend: LinearAlgebraBackend.description, workloads: $0) }
    ) {
      rows = try all.filter { names?.contains($0.name) ?? true }
        .map { try Row($0, seconds: seconds) }
      return rows
    }
    if let wrong = rows.first(where: { ($0.deviation ?? 0) > 1e-4 }) {
      throw ValidationError("\(wrong.name) computed something else than its reference")
    }
  }

  private static func duration(_ seconds: Double) -> String {
    let (scale, unit) =
      seconds < 1e-6 ? (1e9, "ns") : seconds < 1e-3 ? (1e6, "µs") : (1e3, "ms")
    return "\(Numbers.significant(seconds * scale, digits: 3)) \(unit)"
  }

  /// What `--json` writes.
  private struct Results: Encodable {
    let backend: String
    let workloads: [Row]
  }

  private struct Row: Encodable {
    let name: String
    let timing: Timing
    let checks: [Workload.Check]

    init(_ workload: Workload, seconds: Double) throws {
      name = workload.name
      checks = try workload.checks()
      timing = try Timing(seconds: seconds, operations: workload.operations, workload.run)
    }

    /// The largest relative difference between a checked figure and its reference.
    var deviation: Double? {
      checks.map { abs($0.value - $0.reference) / abs($0.reference) }.max()
    }
  }
}

/// Repeated timing of one piece of work.
struct Timing: Encodable {
  /// Seconds per run, the quickest batch and the median one.
  let best: Double
  let median: Double
  let runs: Int

  /// Runs `body` for about `seconds` after a warm-up, in batches long enough for the clock.
  ///
  /// - Parameter operations: How many operations a run counts as; times are per operation.
  init(seconds: Double, operations: Int = 1, _ body: () throws -> Void) throws {
    let clock = ContinuousClock()
    func time(_ count: Int) throws -> Double {
      let duration = try clock.measure { for _ in 0..<count { try body() } }
      return duration / .seconds(1)
    }
    // Warm-up: caches, buffer pool, clock speed.
    var batch = 1
    var elapsed = try time(1)
    while elapsed < 0.02 {
      batch *= 2
      elapsed = try time(batch)
    }
    var perRun: [Double] = []
    var total = 0.0
    while total < seconds || perRun.count < 5 {
      let batchTime = try time(batch)
      total += batchTime
      perRun.append(batchTime / Double(batch))
    }
    perRun.sort()
    best = (perRun.first ?? .nan) / Double(operations)
    median = perRun[perRun.count / 2] / Double(operations)
    runs = perRun.count * batch
  }
}

/// Seconds that a piece of work takes, and MiB above what there was before, where the system tells.
func measured(_ body: () throws -> Void) throws -> (seconds: Double, memoryMiB: Double?) {
  TensorMemory.releaseCached()
  var duration = Duration.zero
  let (_, bytes) = try PeakMemory.extra { duration = try ContinuousClock().measure(body) }
  return (duration / .seconds(1), bytes.map { Double($0) / 1_048_576 })
}
