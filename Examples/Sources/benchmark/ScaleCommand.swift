import ArgumentParser
import Autodiff
import Bilevel
import ExampleSupport
import Foundation

/// `benchmark scale`: how time and memory of one hypergradient grow.
struct ScaleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scale",
    abstract: "Time and memory of one hypergradient as rows, features and inner steps grow.",
    discussion: """
      Logistic regression with one penalty per feature, simulated, float32: n training rows, d \
      features and hyper-parameters, n/10 validation rows. Every line is one hypergradient by \
      fixed numbers of gradient and conjugate-gradient steps, so that lines compare; memory is \
      the high-water mark above the data. The last line solves the largest problem to a \
      tolerance.
      """)

  @Option(help: "Rows of the largest problem.")
  var rows = 100_000

  @Option(help: "Features of the largest problem.")
  var features = 10_000

  @Option(help: ArgumentHelp("Write the results as JSON to this file.", valueName: "file"))
  var json: String?

  // A line runs in a process of its own, whose memory no other line has touched.
  @Option(help: .private)
  var line: String?

  func validate() throws {
    guard rows >= 1000, features >= 100 else {
      throw ValidationError("--rows must be at least 1000 and --features at least 100")
    }
  }

  func run() throws {
    if let line { return try runLine(line) }
    if let json { try requireWritable(json) }
    // The largest problem has n rows for training and n / 10 for validation, and takes them twice.
    try NotEnoughMemory.refuse(
      9 * Double(rows) * Double(features),
      for: "a problem of \(Numbers.count(rows)) rows and \(Numbers.count(features)) features")
    print("\(LinearAlgebraBackend.description)")
    let (n, d) = (rows / 10, features / 10)
    var wanted: [ScaleRequest] = []
    for steps in [25, 50, 100, 200] {
      for layer in [ScaleRequest.Layer.aid, .unrolled, .checkpointed] {
        wanted.append(ScaleRequest(layer: layer, rows: n, features: d, innerSteps: steps))
      }
    }
    for factor in [2, 4] {
      wanted.append(ScaleRequest(layer: .aid, rows: factor * n, features: d, innerSteps: 25))
    }
    for factor in [2, 4] {
      wanted.append(ScaleRequest(layer: .aid, rows: n, features: factor * d, innerSteps: 25))
    }
    wanted.append(ScaleRequest(layer: .solved, rows: rows, features: features, innerSteps: 0))
    var table = TextTable(header: [
      "layer", "n", "d", "inner steps", "seconds", "memory MiB", "inner rel. residual",
      "adjoint rel. residual",
    ])
    var lines: [ScaleLine] = []
    let progress = ProgressMeter(label: "scale", total: wanted.count, unit: "line")
    for request in wanted {
      let line = try request.measuredInOwnProcess()
      lines.append(line)
      table.append(line.cells)
      progress.update(completed: lines.count)
    }
    progress.finish()
    print(table.text())
    if let json { try writeJSON(lines, to: json) }
  }

  private func runLine(_ text: String) throws {
    let request = try JSONDecoder().decode(ScaleRequest.self, from: Data(text.utf8))
    let line = try ScaleProblem(rows: request.rows, features: request.features).line(request)
    try FileHandle.standardOutput.write(contentsOf: JSONEncoder().encode(line))
  }
}
