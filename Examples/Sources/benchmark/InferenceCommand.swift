import ArgumentParser
import Autodiff
import Bilevel
import ExampleSupport
import Neural
import Orthogonal

/// `benchmark inference`: how time and memory of orthogonal hypergradients grow with the number of outer
/// parameters.
struct InferenceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inference",
    abstract: "Time and memory of an orthogonal hypergradient as outer parameters grow.",
    discussion: """
      Instrumental variables with d random Fourier features of the treatment. With logistic losses \
      (the general score, nuisances in a kernel class, 5 folds) the gradient of the debiased value \
      is one reverse pass, one direction with its standard error one forward pass, and all \
      standard errors d of them; with quadratic losses all of it is one regression of d columns. \
      Memory is the high-water mark above the data; n d numbers of 8 bytes are the least that \
      all standard errors and later arithmetic on them take.
      """)

  @Option(help: "Rows.")
  var rows = 2000

  @Option(help: "Numbers of outer parameters, comma-separated.")
  var dimensions = "10,100,1000"

  @OptionGroup var json: JSONOption

  func run() throws {
    let sizes = dimensions.split(separator: ",").compactMap { Int($0) }
    guard rows >= 100, !sizes.isEmpty, sizes.allSatisfy({ $0 > 0 }) else {
      throw ValidationError("--rows must be at least 100 and --dimensions positive numbers")
    }
    try json.report([
      .init("losses", text: \.losses), .init("what", text: \.what),
      .init("d") { "\($0.dimension)" }, .init("seconds", .significant(3)) { $0.seconds },
      .init("memory MiB", .significant(3), missing: "?", \.memoryMiB),
      .init("n d MiB", .significant(3)) { Double($0.rows * $0.dimension) / 131_072 },
    ]) {
      try sizes.flatMap { try InferenceScale(rows: rows, dimension: $0).lines() }
    }
  }
}

/// One line of the table.
private struct InferenceLine: Encodable {
  let losses: String
  let what: String
  let rows: Int
  let dimension: Int
  let seconds: Double
  let memoryMiB: Double?
}

/// The same instrumental-variable data with two pairs of losses.
private struct InferenceScale {
  let rows: Int
  let dimension: Int
  private let inputs: Tensor
  private let features: Tensor
  private let outcome: Tensor
  private let point: Tensor

  init(rows: Int, dimension: Int) {
    (self.rows, self.dimension) = (rows, dimension)
    var generator = PhiloxGenerator(seed: 1)
    inputs = Tensor.normal([rows, 1], using: &generator)
    let noise = Tensor.normal([rows, 2], using: &generator)
    let treatment = inputs + 0.5 * noise[0..., 0..<1]
    let frequencies = Tensor.normal([1, dimension], using: &generator)
    let phases = Tensor.uniform([dimension], from: 0, to: 2 * .pi, using: &generator)
    features = cos(matmul(treatment, frequencies) + phases) / Double(dimension).squareRoot()
    let score = sin(2 * treatment) + 0.8 * noise[0..., 0..<1]
    outcome = select(score .> 0, Tensor.ones([rows, 1]), Tensor.zeros([rows, 1]))
    point = Tensor.normal([dimension], using: &generator)
  }

  func lines() throws -> [InferenceLine] {
    let learner = NuisanceLearner.kernelRidge(
      .gaussian(lengthScale: 0.7), ridge: .rate(constant: 0.003, power: 0.4))
    let plan = CrossFitting(foldCount: 5)
    let layer = OBiGrad<Tensor, [Tensor], [Tensor]>(
      outputCount: 1, nuisances: learner, crossFitting: plan,
      innerLoss: { ω, v, _, y in
        let target = sigmoid(matmul(y[0], ω.expandingShape(at: 1)))
        return Losses.logistic(v, target)
      },
      outerLoss: { _, v, _, y in Losses.logistic(v, y[1]) })
    let sample = BilevelSample(FunctionalSample(inputs: inputs, labels: [features, outcome]))
    let fit = try layer.fit(on: sample, at: point)
    // The first solve of every fold; later ones start from it.
    _ = try fit.value(at: point)
    let direction = point / point.norm()
    return [
      try line("logistic", "gradient, reverse mode") {
        _ = try gradient(at: point) { ω in try fit.value(at: ω) }
      },
      try line("logistic", "one direction, standard error") {
        _ = try fit.directionalDerivatives(at: point, along: [direction]).standardErrors
      },
      try line("logistic", "gradient, all standard errors") {
        _ = try fit.hypergradient(at: point).standardErrors
      },
      try line("quadratic", "regressions of d + 1 columns and gradient, all standard errors") {
        let problem = try AffineProblem(
          inputs: inputs, innerSlope: features, outcome: outcome[0..., 0])
        _ = try problem.fit(nuisances: learner, crossFitting: plan)
          .hypergradient(at: point).standardErrors
      },
    ]
  }

  private func line(
    _ losses: String, _ what: String, _ body: () throws -> Void
  ) throws -> InferenceLine {
    let (seconds, memory) = try measured(body)
    return InferenceLine(
      losses: losses, what: what, rows: rows, dimension: dimension, seconds: seconds,
      memoryMiB: memory)
  }
}
