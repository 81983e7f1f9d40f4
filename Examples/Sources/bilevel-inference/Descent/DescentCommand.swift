import ArgumentParser
import Autodiff
import ExampleSupport
import InferenceDesigns
import Orthogonal

/// `bilevel-inference descent`: gradient descent on the orthogonal gradient, with what is known at every
/// step.
struct DescentCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "descent",
    abstract: "Descend along the orthogonal gradient of one sample to a stationary point.",
    discussion: """
      ω ← ω − step · gradient, with regressions fitted once for the whole path. Every step has the \
      joint test of a zero gradient, the bound on the true gradient's norm, and, because the \
      population is known, how far ω really is. Stationarity is reached long before ω is where the \
      objective is flat: read the condition number beside it.

      Designs:
      \(DescentDesign.allCases.map { "  \($0.rawValue): \($0.summary)" }.joined(separator: "\n"))
      """)

  @Option(help: .value("name", "The design."))
  var design = DescentDesign.paperIV4

  @Option(help: "Rows of the sample. (default: as in the paper)")
  var size: Int?

  @Option(help: "Steps. (default: as in the paper)")
  var steps: Int?

  @Option(help: "The length of a step relative to the gradient.")
  var step = 0.05

  @Option(help: "The seed of everything random.")
  var seed: UInt64 = 1

  @OptionGroup var outputs: OutputOptions

  func validate() throws {
    try requireRange(("--size", size, 20...1_000_000), ("--steps", steps, 1...100_000))
    try requirePositive(("--step", step))
  }

  func run() throws {
    let name = "descent-\(design.rawValue)"
    let results = try outputs.results("\(name).csv", "\(name).svg")
    let defaults = design.defaults
    try results.publish(
      Descent(
        design, size: size ?? defaults.size, steps: steps ?? defaults.steps, step: step,
        seed: seed))
  }
}

/// A design with the start and the budget of the paper.
enum DescentDesign: String, CaseIterable, Codable, ExpressibleByArgument {
  case paperIV4 = "paper-iv4"
  case paperB1 = "paper-b1"

  var summary: String {
    switch self {
    case .paperIV4: "scalar IV of El Khoury et al. (2026), figure 5"
    case .paperB1: "labelled Bellman regression of El Khoury et al. (2026), b1"
    }
  }

  var design: any AffineDesign {
    switch self {
    case .paperIV4: PaperScalarIV()
    case .paperB1: PaperBellman(.b1)
    }
  }

  var learner: NuisanceLearner {
    switch self {
    case .paperIV4: FeatureMap.linear.learner(absolutePenalty: 1e-8)
    case .paperB1: FeatureMap.bellman.learner(absolutePenalty: 0.5)
    }
  }

  var start: Tensor {
    switch self {
    case .paperIV4: Tensor([-1])
    case .paperB1: Tensor.zeros([4])
    }
  }

  var defaults: (size: Int, steps: Int) { self == .paperIV4 ? (800, 50) : (5000, 1000) }
}
