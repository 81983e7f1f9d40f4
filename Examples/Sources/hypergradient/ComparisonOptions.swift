import ArgumentParser
import Autodiff
import HyperparameterProblems

/// The options of a comparison of estimators, common to `ridge` and `logistic`.
struct ComparisonOptions: ParsableArguments {
  @OptionGroup var data: DataOptions

  @Option(
    help: ArgumentHelp(
      "The outer objective: quadratic for 'ridge' and validation for 'logistic' if not given. Only "
        + "'validation' keeps rows for validation.", valueName: "linear|quadratic|validation|inner")
  )
  var outer: OuterKind?

  @Option(help: "The number of problems: seeds 0, 1, … of penalties, start and outer objective.")
  var seeds = 10

  // Unconditional, because a range can start with a minus sign.
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Logarithms of the penalties are drawn uniformly from this range.", valueName: "low,high"))
  var penalties = "3,6"

  @Option(
    help: ArgumentHelp(
      "Where the inner errors come from: iterates of gradient descent, or random perturbations of "
        + "the solution.", valueName: "path|random"))
  var points: PointKind = .path

  @Option(
    help: ArgumentHelp(
      "Estimators to compare, comma-separated; the first is the one others are divided by. 'all' "
        + "for every one; one of each kind if not given.", valueName: "names"))
  var estimators: String?

  @Option(help: "Iterations of gradient descent at most.")
  var iterations = 50_000

  @Flag(help: "Compute in float32; the exact answer stays float64.")
  var float32 = false

  @OptionGroup var shared: SharedOptions

  func validate() throws {
    guard (1...1000).contains(seeds) else {
      throw ValidationError("--seeds must be between 1 and 1000, not \(seeds)")
    }
    guard (1...100_000_000).contains(iterations) else {
      throw ValidationError("--iterations must be between 1 and 100000000, not \(iterations)")
    }
    _ = try Self.range(penalties)
    _ = try estimatorNames()
    try shared.requireJSON(apartFrom: data.files)
  }

  /// What the options ask for.
  func settings(loss: RowLoss) throws -> ComparisonSettings {
    ComparisonSettings(
      draw: ProblemDraw(
        loss: loss, outer: outer(for: loss), penaltyRange: try Self.range(penalties),
        scalarType: float32 ? .float32 : .float64),
      seeds: seeds, points: points, estimators: try estimatorNames(), iterations: iterations)
  }

  private func outer(for loss: RowLoss) -> OuterKind {
    outer ?? (loss == .squared ? .quadratic : .validation)
  }

  /// nil leaves the choice to the size of the problem.
  private func estimatorNames() throws -> [EstimatorName]? {
    guard let estimators else { return nil }
    var names: [EstimatorName] = []
    if estimators == "all" { return EstimatorName.allCases }
    for text in estimators.split(separator: ",").map({ $0.filter { $0 != " " } }) {
      guard let name = EstimatorName(rawValue: text) else {
        let known = EstimatorName.allCases.map(\.rawValue).joined(separator: ", ")
        throw ValidationError("--estimators: there is no '\(text)'; there are all, \(known)")
      }
      if names.contains(name) { throw ValidationError("--estimators names '\(text)' twice") }
      names.append(name)
    }
    guard !names.isEmpty else { throw ValidationError("--estimators must name one at least") }
    return names
  }

  private static func range(_ text: String) throws -> ClosedRange<Double> {
    let ends = text.split(separator: ",").map { Double($0.filter { $0 != " " }) }
    guard ends.count == 2, let low = ends[0], let high = ends[1], low <= high,
      // Beyond it, exp(y) is so large or small that the inner problem cannot be solved.
      low >= -50, high <= 50
    else {
      throw ValidationError(
        "--penalties must be two numbers from -50 to 50 in ascending order, such as 3,6, not "
          + "'\(text)'")
    }
    return low...high
  }
}

/// Where approximate inner solutions come from.
enum PointKind: String, ExpressibleByArgument, CaseIterable, Codable {
  case path, random
}

extension OuterKind: ExpressibleByArgument {}

/// A comparison of estimators, as asked for.
struct ComparisonSettings {
  let draw: ProblemDraw
  let seeds: Int
  let points: PointKind
  let estimators: [EstimatorName]?
  let iterations: Int
}
