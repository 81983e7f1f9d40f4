import ArgumentParser
import Autodiff
import Bilevel
import ExampleSupport

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

  func validate() throws {
    guard rows >= 1000, features >= 100 else {
      throw ValidationError("--rows must be at least 1000 and --features at least 100")
    }
  }

  func run() throws {
    print("\(LinearAlgebraBackend.description)")
    var table = TextTable(header: [
      "layer", "n", "d", "inner steps", "seconds", "memory MiB", "inner rel. residual",
      "adjoint rel. residual",
    ])
    var lines: [ScaleLine] = []
    func measure(_ line: ScaleLine) {
      lines.append(line)
      table.append([
        line.layer, "\(line.rows)", "\(line.features)", "\(line.innerSteps)",
        Numbers.significant(line.seconds, digits: 3),
        line.memoryMiB.map { Numbers.significant($0, digits: 3) } ?? "?",
        Numbers.significant(line.innerResidual, digits: 2),
        line.adjointResidual.map { Numbers.significant($0, digits: 2) } ?? "",
      ])
    }
    let (n, d) = (rows / 10, features / 10)
    // Inner steps, at a tenth of the size in both directions.
    let small = ScaleProblem(rows: n, features: d)
    for steps in [25, 50, 100, 200] {
      measure(try small.line(.aid, steps: steps))
      measure(try small.line(.unrolled, steps: steps))
      measure(try small.line(.checkpointed, steps: steps))
    }
    // Rows, then features.
    for factor in [2, 4] {
      measure(try ScaleProblem(rows: factor * n, features: d).line(.aid, steps: 25))
    }
    for factor in [2, 4] {
      measure(try ScaleProblem(rows: n, features: factor * d).line(.aid, steps: 25))
    }
    measure(try ScaleProblem(rows: rows, features: features).line(.solved, steps: 0))
    print(table.text())
    if let json { try writeJSON(lines, to: json) }
  }
}

/// One line of the table.
struct ScaleLine: Encodable {
  let layer: String
  let rows: Int
  let features: Int
  let innerSteps: Int
  let seconds: Double
  let memoryMiB: Double?
  let innerResidual: Double
  let adjointResidual: Double?
}

/// A simulated problem of any size.
struct ScaleProblem {
  enum Layer: String {
    case aid = "AID"
    case unrolled = "ITD"
    case checkpointed = "ITD, checkpointed"
    case solved = "AID, L-BFGS to 1e-4"
  }

  let rows: Int
  let features: Int
  private let problem: LogisticWorkload
  private let λ: Tensor

  init(rows: Int, features: Int) {
    self.rows = rows
    self.features = features
    problem = .simulated(rows: rows, features: features, seed: 1)
    λ = Tensor(repeating: -8, shape: [features], .float32)
  }

  func line(_ kind: Layer, steps: Int) throws -> ScaleLine {
    let layer = layer(kind, steps: steps)
    var record: TrustRecord?
    let clock = ContinuousClock()
    var duration = Duration.zero
    let (_, bytes) = try PeakMemory.extra {
      duration = try clock.measure {
        _ = try valueWithGradient(at: λ) { λ in
          let solution = try layer.solution(at: λ)
          record = solution.record
          return problem.loss(solution.value)
        }
      }
    }
    return ScaleLine(
      layer: kind.rawValue, rows: rows, features: features,
      innerSteps: kind == .solved ? record?.inner.iterations ?? 0 : steps,
      seconds: duration / .seconds(1), memoryMiB: bytes.map { Double($0) / 1_048_576 },
      innerResidual: record?.inner.relativeResidual ?? .nan,
      adjointResidual: record?.linearSolves.first?.relativeResidual)
  }

  private func layer(_ kind: Layer, steps: Int) -> any BilevelLayer<Tensor, Tensor> {
    switch kind {
    case .aid:
      var layer = AID(
        minimizing: problem.objective, from: problem.start,
        solver: GradientDescent(step: .fixed(4), iterations: steps),
        adjoint: ConjugateGradient(tolerance: 0, maximumIterations: 20))
      layer.onFailure = .report
      return layer
    case .unrolled, .checkpointed:
      return ITD(
        minimizing: problem.objective, from: problem.start, update: .gradientDescent(step: 4),
        steps: steps, memory: kind == .unrolled ? .full : .checkpointed())
    case .solved:
      return AID(
        minimizing: problem.objective, from: problem.start,
        solver: LBFGS(stopping: StoppingRule(relative: 1e-4)),
        adjoint: ConjugateGradient(tolerance: 1e-4))
    }
  }
}

extension LogisticWorkload {
  /// Rows a = s x with x ~ U(−1, 1) / √j-decaying scales and signs s from a linear model with noise.
  static func simulated(rows: Int, features: Int, seed: UInt64) -> LogisticWorkload {
    var generator = PhiloxGenerator(seed: seed)
    let scale = 1 / sqrt(1 + Tensor.range(features, .float32) / 20)
    let truth = Tensor.normal([features], .float32, using: &generator)
    func signedRows(_ count: Int) -> Tensor {
      let x = (2 * Tensor.uniform([count, features], .float32, using: &generator) - 1) * scale
      let noise = Tensor.normal([count], .float32, using: &generator)
      let margin = matmul(x, truth) + noise
      let sign = select(margin .>= 0, Tensor.ones(like: margin), -Tensor.ones(like: margin))
      return x * sign.reshaped(to: [count, 1])
    }
    return LogisticWorkload(
      training: signedRows(rows), validation: signedRows(max(1, rows / 10)),
      start: Tensor.zeros([features], .float32))
  }
}
