import ArgumentParser
import ExampleSupport
import Foundation
import HyperparameterProblems

/// The options of `tune` that say how penalties are tuned.
struct TuneOptions: ParsableArguments {
  @Option(
    help: .value(
      "names",
      "Methods to compare, comma-separated: \(TuneMethod.names). The run with exact hypergradients "
        + "is added if it is not named."))
  var methods = "aid,newton,cg5,itd"

  @Option(help: "Outer iterations at most.")
  var iterations = 1000

  @Option(
    help: .value(
      "spectral|gradient|adam",
      "How penalties move: gradient steps of the lengths of Barzilai and Borwein, gradient steps of "
        + "one length, or Adam; all projected on the bounds."))
  var optimizer: OuterRule = .spectral

  @Option(help: "The step of an outer iteration; the first one of 'spectral'. 0.1 for 'adam'.")
  var learningRate: Double?

  @Option(
    help: """
      Converged: the projected hypergradient is at most this times the validation loss, both divided \
      by the variance of the label, and the inner residual at most this times that at zero.
      """)
  var tolerance = 1e-6

  @Option(
    help: """
      Steps of gradient descent on the inner problem in an outer iteration, from where the last one \
      ended.
      """)
  var innerSteps = 50

  @Option(
    help: """
      Solve the inner problem to this residual, relative to that at zero, instead of taking \
      --inner-steps. Unrolling takes --inner-steps always.
      """)
  var innerTolerance: Double?

  @Option(help: "The strength σ of value-function and gradient-penalty.")
  var strength = 1000.0

  // Unconditional, because it can be negative.
  @Option(parsing: .unconditional, help: "The logarithm of every penalty at the start.")
  var start = 0.0

  @Option(
    parsing: .unconditional,
    help: .value(
      "low,high",
      "Bounds of the logarithms of penalties. By default a penalty adds between 0.0001 and 10 to "
        + "the curvature."))
  var bounds: String?

  @Option(help: "The share of the rows kept for validation that is kept for a test instead.")
  var testFraction = 0.5

  @Option(help: .value("file", "Go on from a tune-state.jsonl of an earlier run."))
  var resume: String?

  @Option(help: "Seconds between two writings of tune-state.jsonl.")
  var checkpointInterval = 10.0

  func validate() throws {
    _ = try parsedMethods()
    _ = try parsedBounds()
    try requireRange(
      ("--iterations", iterations, 1...1_000_000), ("--inner-steps", innerSteps, 1...1_000_000))
    try requireRange(("--start", start, -20...20))
    try requirePositive(("--learning-rate", learningRate), ("--strength", strength))
    try requireShare(("--tolerance", tolerance), ("--inner-tolerance", innerTolerance))
    try requireAtLeast(0, ("--checkpoint-interval", checkpointInterval))
    guard testFraction >= 0, testFraction < 1 else {
      throw ValidationError("--test-fraction must be at least 0 and below 1, not \(testFraction)")
    }
  }

  /// The methods, the exact one first.
  func parsedMethods() throws -> [TuneMethod] {
    let named = try named(
      "--methods", methods, known: "\(TuneMethod.names), with a number from 1 to 10000 for K"
    ) { TuneMethod(name: $0) }
    return [.exact] + named.filter { $0 != .exact }
  }

  /// What tuning by methods takes of memory.
  func work(of methods: [TuneMethod]) -> WorkSize {
    let kept = methods.map { method in
      switch method {
      case .unrolled, .checkpointed: innerSteps
      case .lastSteps(let count): min(count, innerSteps)
      default: 0
      }
    }
    return WorkSize(perElement: 50, perTrainingRow: 40 * Double(kept.max() ?? 0))
  }

  /// What the options ask for, on a problem of a size.
  func settings(size: Int) throws -> TuneSettings {
    let center = log(Double(size))
    let bounds = try parsedBounds() ?? center + log(1e-4)...center + log(10)
    return TuneSettings(
      iterations: iterations, start: start, bounds: [bounds.lowerBound, bounds.upperBound],
      rule: optimizer, learningRate: learningRate ?? (optimizer == .adam ? 0.1 : 1),
      tolerance: tolerance,
      effort: InnerEffort(steps: innerSteps, tolerance: innerTolerance, strength: strength))
  }

  private func parsedBounds() throws -> ClosedRange<Double>? {
    try bounds.map {
      try statedRange("--bounds", $0, limit: 30, allowsPoint: false, example: "-7,7")
    }
  }
}

extension OuterRule: ExpressibleByArgument {}
