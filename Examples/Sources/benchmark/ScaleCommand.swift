import ArgumentParser
import Autodiff
import Bilevel
import ExampleSupport
import Foundation
import Solvers

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

  @OptionGroup var json: JSONOption

  // A line runs in a process of its own, whose memory no other line has touched.
  @Option(help: .private)
  var line: String?

  func validate() throws {
    guard rows >= 1000, features >= 100 else {
      throw ValidationError("--rows must be at least 1000 and --features at least 100")
    }
  }

  func run() throws {
    if let line {
      guard let request = parseJSON(ScaleRequest.self, Data(line.utf8)) else {
        throw ValidationError("--line is for this program alone")
      }
      return print(jsonText(try request.measured()))
    }
    // The largest problem has n rows for training and n / 10 for validation, and takes them twice.
    try NotEnoughMemory.refuse(
      9 * Double(rows) * Double(features),
      for: "a problem of \(Numbers.count(rows)) rows and \(Numbers.count(features)) features")
    let (n, d) = (rows / 10, features / 10)
    func wanted(_ layer: ScaleRequest.Layer, _ n: Int, _ d: Int, _ steps: Int) -> ScaleRequest {
      ScaleRequest(layer: layer, rows: n, features: d, innerSteps: steps)
    }
    var requests: [ScaleRequest] = []
    for steps in [25, 50, 100, 200] {
      requests += [.aid, .unrolled, .checkpointed].map { wanted($0, n, d, steps) }
    }
    requests += [2, 4].map { wanted(.aid, $0 * n, d, 25) }
    requests += [2, 4].map { wanted(.aid, n, $0 * d, 25) }
    requests.append(wanted(.solved, rows, features, 0))
    let columns: [Column<ScaleLine>] = [
      .init("layer", text: \.layer), .init("n") { "\($0.rows)" }, .init("d") { "\($0.features)" },
      .init("inner steps") { "\($0.innerSteps)" },
      .init("seconds", .significant(3)) { $0.seconds },
      .init("memory MiB", .significant(3), missing: "?", \.memoryMiB),
      .init("inner rel. residual", .significant(2)) { $0.innerResidual },
      .init("adjoint rel. residual", .significant(2), missing: "", \.adjointResidual),
    ]
    try json.report(columns) {
      let progress = ProgressMeter(label: "scale", total: requests.count, unit: "line")
      defer { progress.finish() }
      return try requests.enumerated().map { index, request in
        defer { progress.update(completed: index + 1) }
        return try request.measuredInOwnProcess()
      }
    }
  }
}

/// A line that is wanted.
struct ScaleRequest: Codable {
  enum Layer: String, Codable {
    case aid = "AID"
    case unrolled = "ITD"
    case checkpointed = "ITD, checkpointed"
    case solved = "AID, L-BFGS to 1e-4"
  }

  let layer: Layer
  let rows: Int
  let features: Int
  let innerSteps: Int

  /// The line, measured by this program run again.
  fileprivate func measuredInOwnProcess() throws -> ScaleLine {
    let process = Process()
    process.executableURL = Bundle.main.executableURL
    process.arguments = ["scale", "--line", jsonText(self)]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0, let line = parseJSON(ScaleLine.self, data) else {
      throw ValidationError(
        "\(layer.rawValue) with \(rows) rows and \(features) features ended with status "
          + "\(process.terminationStatus); is there enough memory? The data take "
          + "\(rows * features / 250_000) MB")
    }
    return line
  }

  /// The line, measured here: one hypergradient of a simulated problem.
  fileprivate func measured() throws -> ScaleLine {
    let problem = LogisticWorkload.simulated(rows: rows, features: features, seed: 1)
    let λ = Tensor(repeating: -8, shape: [features], .float32)
    let layer = bilevelLayer(of: problem)
    var record: TrustRecord?
    let (seconds, memory) = try benchmark.measured {
      _ = try valueWithGradient(at: λ) { λ in
        let solution = try layer.solution(at: λ)
        record = solution.record
        return problem.loss(solution.value)
      }
    }
    return ScaleLine(
      layer: self.layer.rawValue, rows: rows, features: features,
      innerSteps: self.layer == .solved ? record?.inner.iterations ?? 0 : innerSteps,
      seconds: seconds, memoryMiB: memory, innerResidual: record?.inner.relativeResidual ?? .nan,
      adjointResidual: record?.linearSolves.first?.relativeResidual)
  }

  private func bilevelLayer(of problem: LogisticWorkload) -> any BilevelLayer<Tensor, Tensor> {
    switch layer {
    case .aid:
      return problem.fixedCountAID(step: 4, steps: innerSteps, adjointSteps: 20)
    case .unrolled, .checkpointed:
      return ITD(
        minimizing: problem.objective, startingAt: problem.start, update: .gradientDescent(step: 4),
        steps: innerSteps, memory: layer == .unrolled ? .full : .checkpointed())
    case .solved:
      return AID(
        minimizing: problem.objective, startingAt: problem.start,
        solver: LBFGS(stopping: StoppingRule(relative: 1e-4)),
        adjoint: ConjugateGradient(tolerance: 1e-4))
    }
  }
}

/// One line of the table.
private struct ScaleLine: Codable {
  let layer: String
  let rows: Int
  let features: Int
  let innerSteps: Int
  let seconds: Double
  let memoryMiB: Double?
  let innerResidual: Double
  let adjointResidual: Double?
}
