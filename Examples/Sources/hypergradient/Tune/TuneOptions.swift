import ArgumentParser
import Foundation
import HyperparameterProblems

/// The options of `tune` that say how penalties are tuned.
struct TuneOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Methods to compare, comma-separated: \(TuneMethod.names). The run with exact hypergradients "
        + "is added if it is not named.", valueName: "names"))
  var methods = "aid,newton,cg5,itd"

  @Option(help: "Outer iterations at most.")
  var iterations = 1000

  @Option(
    help: ArgumentHelp(
      "How penalties move: gradient steps of the lengths of Barzilai and Borwein, gradient steps of "
        + "one length, or Adam; all projected on the bounds.", valueName: "spectral|gradient|adam"))
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
    help: ArgumentHelp(
      "Bounds of the logarithms of penalties. By default a penalty adds between 0.0001 and 10 to "
        + "the curvature.", valueName: "low,high"))
  var bounds: String?

  @Option(help: "The share of the rows kept for validation that is kept for a test instead.")
  var testFraction = 0.5

  @Option(help: ArgumentHelp("Go on from a tune-state.json of an earlier run.", valueName: "file"))
  var resume: String?

  @Option(help: "Seconds between two writings of tune-state.json.")
  var checkpointInterval = 10.0

  func validate() throws {
    _ = try parsedMethods()
    _ = try parsedBounds()
    guard (1...1_000_000).contains(iterations) else {
      throw ValidationError("--iterations must be between 1 and 1000000, not \(iterations)")
    }
    if let learningRate, !(learningRate > 0 && learningRate.isFinite) {
      throw ValidationError("--learning-rate must be a positive number, not \(learningRate)")
    }
    guard tolerance > 0, tolerance < 1 else {
      throw ValidationError("--tolerance must be between 0 and 1, both excluded, not \(tolerance)")
    }
    guard (1...1_000_000).contains(innerSteps) else {
      throw ValidationError("--inner-steps must be between 1 and 1000000, not \(innerSteps)")
    }
    if let innerTolerance, !(innerTolerance > 0 && innerTolerance < 1) {
      throw ValidationError(
        "--inner-tolerance must be between 0 and 1, both excluded, not \(innerTolerance)")
    }
    guard strength > 0, strength.isFinite else {
      throw ValidationError("--strength must be a positive number, not \(strength)")
    }
    guard (-20...20).contains(start) else {
      throw ValidationError("--start must be between -20 and 20, not \(start)")
    }
    guard testFraction >= 0, testFraction < 1 else {
      throw ValidationError("--test-fraction must be at least 0 and below 1, not \(testFraction)")
    }
    guard checkpointInterval >= 0 else {
      throw ValidationError("--checkpoint-interval must not be negative, not \(checkpointInterval)")
    }
  }

  /// The methods, the exact one first.
  func parsedMethods() throws -> [TuneMethod] {
    var result: [TuneMethod] = []
    for text in methods.split(separator: ",").map({ $0.filter { $0 != " " } }) {
      guard let method = TuneMethod(name: text) else {
        throw ValidationError(
          "--methods: there is no '\(text)'; there are \(TuneMethod.names), with a number from 1 to "
            + "10000 for K")
      }
      if result.contains(method) { throw ValidationError("--methods names '\(text)' twice") }
      result.append(method)
    }
    guard !result.isEmpty else { throw ValidationError("--methods must name one at least") }
    return [.exact] + result.filter { $0 != .exact }
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
    guard let bounds else { return nil }
    let ends = bounds.split(separator: ",").map { Double($0.filter { $0 != " " }) }
    guard ends.count == 2, let low = ends[0], let high = ends[1], low < high, low >= -30, high <= 30
    else {
      throw ValidationError(
        "--bounds must be two numbers from -30 to 30 in ascending order, such as -7,7, not "
          + "'\(bounds)'")
    }
    return low...high
  }
}

extension OuterRule: ExpressibleByArgument {}
