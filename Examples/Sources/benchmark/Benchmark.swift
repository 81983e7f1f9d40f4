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

/// `benchmark workloads`, the default: fixed pieces of work that other libraries can run too.
struct WorkloadsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "workloads", abstract: "Times fixed workloads; checks what they compute.",
    discussion: """
      Workloads and their inputs are described in Docs/Benchmarks.md, so that other libraries can \
      be timed on the same ones. Build with -c release, and set ADJOINT_THREADS=1 to compare \
      single threads.
      """)

  @Option(help: ArgumentHelp("Workloads by name, comma-separated; all if not given."))
  var workloads: String?

  @Option(help: "Seconds to measure each workload.")
  var seconds = 2.0

  @Option(help: ArgumentHelp("Write the results as JSON to this file.", valueName: "file"))
  var json: String?

  func run() throws {
    let names = workloads?.split(separator: ",").map(String.init)
    let known = Workload.all.map(\.name)
    for name in names ?? [] where !known.contains(name) {
      throw ValidationError(
        "no workload is named '\(name)'; there are \(known.joined(separator: ", "))")
    }
    if let json { try requireWritable(json) }
    print("\(LinearAlgebraBackend.description)")
    var table = TextTable(header: ["workload", "best", "median", "deviation", "what"])
    var rows: [Row] = []
    for workload in Workload.all where names?.contains(workload.name) ?? true {
      let row = try Row(workload, seconds: seconds)
      rows.append(row)
      table.append([
        row.name, Self.duration(row.timing.best), Self.duration(row.timing.median),
        row.deviation.map { Numbers.significant($0, digits: 1) } ?? "", workload.summary,
      ])
    }
    print(table.text())
    if let json {
      try writeJSON(Results(backend: LinearAlgebraBackend.description, workloads: rows), to: json)
    }
    if let wrong = rows.first(where: { ($0.deviation ?? 0) > 1e-4 }) {
      throw ValidationError("\(wrong.name) computed something else than its reference")
    }
  }

  private static func duration(_ seconds: Double) -> String {
    if seconds < 1e-6 { return Numbers.significant(seconds * 1e9, digits: 3) + " ns" }
    if seconds < 1e-3 { return Numbers.significant(seconds * 1e6, digits: 3) + " µs" }
    return Numbers.significant(seconds * 1e3, digits: 3) + " ms"
  }
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
