import ArgumentParser
import Autodiff
import ExampleSupport
import Foundation
import HyperparameterProblems
import TensorFiles

/// `hypergradient ridge`: estimators on ridge regression with one penalty per coefficient.
struct RidgeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ridge",
    abstract: "Compare estimators on ridge regression with one penalty per coefficient.",
    discussion: """
      Inner problem: |Ax - b|² / (2N) + Σ exp(yᵢ) xᵢ² / (2d). The error of each estimator of the \
      derivative of the outer objective in y is measured against the exact answer, as a function of \
      the error of x. Without --data or --simulate: Auto MPG, 297 cars and 7 features.

      \(EstimatorName.help)
      """)

  @OptionGroup var options: ComparisonOptions

  func run() throws { try options.compare(loss: .squared) }
}

/// `hypergradient logistic`: estimators on logistic regression with one penalty per coefficient.
struct LogisticCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "logistic",
    abstract: "Compare estimators on logistic regression with one penalty per coefficient.",
    discussion: """
      Inner problem: mean log(1 + exp(-b a·x)) + Σ exp(yᵢ) xᵢ² / (2d). The error of each estimator \
      of the derivative of the outer objective in y is measured against the exact answer, as a \
      function of the error of x. Without --data or --simulate: liver disorders, 144 men for \
      training and 200 for validation, 5 features.

      \(EstimatorName.help)
      """)

  @OptionGroup var options: ComparisonOptions

  func run() throws { try options.compare(loss: .logistic) }
}

extension ComparisonOptions {
  /// The relative errors and directions of random perturbations.
  private static let perturbationErrors = ErrorLevels.logarithmic(from: -1, to: -5, count: 17)
  private static let directions = 5

  /// Draws problems, evaluates estimators, prints and plots.
  fileprivate func compare(loss: RowLoss) throws {
    let name = loss == .squared ? "ridge" : "logistic"
    let results = try outputs.results("\(name)-errors.csv", "\(name).svg")
    let draw = try draw(loss)
    let split = try data.split(for: loss, holdsOut: draw.outer == .validation)
    let curves = try curves(draw, split)
    try results.publish(ComparisonReport(name, split, draw, self, curves))
  }

  private func curves(_ draw: ProblemDraw, _ data: DataSplit) throws -> [EstimatorCurve] {
    let progress = ProgressMeter(label: "problems", total: seeds, unit: "problem")
    let names = try estimatorNames()
    var curves: [EstimatorCurve] = []
    for seed in 0..<UInt64(seeds) {
      let problem = try draw.problem(on: data, seed: seed)
      let points =
        switch points {
        case .path:
          try problem.gradientDescentPath(
            levels: ErrorLevels.published, maximumIterations: iterations)
        case .random:
          problem.perturbations(
            relativeErrors: Self.perturbationErrors, directions: Self.directions, seed: seed
          ).flatMap { $0 }
        }
      curves += try evaluate(
        problem, estimators: names ?? EstimatorName.defaults(innerSize: problem.innerSize),
        points: points, seed: seed)
      progress.update(completed: Int(seed) + 1)
    }
    progress.finish()
    return curves
  }
}

/// What `ridge` and `logistic` find.
struct ComparisonReport: Report {
  let command: String
  let training: String
  let validation: String
  let data: DataSummary
  let rows: Int
  let validationRows: Int
  let features: Int
  let outer: OuterKind
  let penaltyRange: [Double]
  let points: PointKind
  let seeds: Int
  let scalarType: String
  /// The library of linear algebra and its threads, on which the rounding depends.
  let linearAlgebra = Repetition.linearAlgebra
  /// The inner error at which `constantRatio` is taken.
  let ratioError: Double
  let estimators: [EstimatorSummary]
  let curves: [EstimatorCurve]

  init(
    _ command: String, _ split: DataSplit, _ draw: ProblemDraw, _ options: ComparisonOptions,
    _ curves: [EstimatorCurve]
  ) {
    self.command = command
    (training, validation) = (split.training.source, split.validation.source)
    data = DataSummary(split)
    (rows, validationRows) = (split.training.rowCount, split.validation.rowCount)
    features = split.training.featureCount
    (outer, scalarType) = (draw.outer, draw.scalarType.description)
    penaltyRange = [draw.penaltyRange.lowerBound, draw.penaltyRange.upperBound]
    (points, seeds) = (options.points, options.seeds)
    self.curves = curves
    // Perturbations are relative to |x*|, which can be smaller than any fixed error.
    let errors = curves.flatMap(\.errors)
    let isPath = options.points == .path
    ratioError = isPath ? 1e-2 : errors.median ?? 1e-2
    var levels = ErrorLevels.published
    if !isPath {
      levels = errors.filter { $0 > 0 }
      if let range = levels.extent, range.lowerBound < range.upperBound {
        levels = ErrorLevels.logarithmic(
          from: log10(range.upperBound), to: log10(range.lowerBound), count: 40)
      }
    }
    estimators = EstimatorSummary.summaries(
      curves, levels: levels, ratioError: ratioError,
      slopeLimit: isPath ? 0.031_622_776_601_683_79 : .infinity)
  }

  /// The data and the design in a line.
  private var subtitle: String {
    let range = penaltyRange.map { Numbers.short($0) }.joined(separator: ", ")
    let source = points == .path ? "iterates of gradient descent" : "random perturbations"
    return
      "\(training), \(Numbers.count(rows)) × \(features)\(data.labelText), y in [\(range)], \(source), "
      + "\(Numbers.counted(seeds, "seed")), \(scalarType)"
  }

  var text: String {
    [subtitle, "linear algebra: \(linearAlgebra)", data.droppedText].filter { !$0.isEmpty }
      .joined(separator: "\n") + "\n\n"
      + estimators.table(ratioError: ratioError)
  }

  var csv: CSVWriter { curves.csv }

  var figure: SVGFigure {
    EstimatorFigure.figure(
      title: "Hypergradients of \(command) regression, \(outer.rawValue) outer objective",
      subtitle: subtitle, of: estimators,
      kinds: Dictionary(uniqueKeysWithValues: EstimatorName.allCases.map { ($0.label, $0.kind) }))
  }
}

/// What a report says of the data beside their sizes.
struct DataSummary: Encodable {
  /// The column with the labels; nil where columns have no names.
  let label: String?
  /// The names of the classes -1 and 1; nil for numbers.
  let classes: [String]?
  let droppedRows: [DroppedRows]

  init(_ split: DataSplit) {
    let notes = split.training.notes
    (label, classes) = (notes.labelName, notes.classNames)
    let both = [notes.dropped, split.validation.notes.dropped].compactMap { $0 }
    // Two parts of one file have the same note.
    droppedRows = both.count == 2 && both[0] == both[1] ? [both[0]] : both
  }

  /// The label for a line of facts, after a comma; empty if there is nothing to say.
  var labelText: String {
    // The numbers -1 and 1 say nothing new.
    let mapping = classes.flatMap {
      $0 == ["-1", "1"] ? nil : "\($0[0]) = -1, \($0[1]) = 1"
    }
    guard let label else { return mapping.map { ", label: \($0)" } ?? "" }
    return ", label: \(label)" + (mapping.map { " (\($0))" } ?? "")
  }

  /// A line to each file that lost rows; empty if none did.
  var droppedText: String { droppedRows.map { "  \($0)" }.joined(separator: "\n") }
}

/// The options of a comparison of estimators, common to `ridge` and `logistic`.
struct ComparisonOptions: ParsableArguments {
  @OptionGroup var data: DataOptions

  @Option(
    help: .value(
      "linear|quadratic|validation|inner",
      "The outer objective: quadratic for 'ridge' and validation for 'logistic' if not given. Only "
        + "'validation' keeps rows for validation."))
  var outer: OuterKind?

  @Option(help: "The number of problems: seeds 0, 1, … of penalties, start and outer objective.")
  var seeds = 10

  // Unconditional, because a range can start with a minus sign.
  @Option(
    parsing: .unconditional,
    help: .value(
      "low,high", "Logarithms of the penalties are drawn uniformly from this range."))
  var penalties = "3,6"

  @Option(
    help: .value(
      "path|random",
      "Where the inner errors come from: iterates of gradient descent, or random perturbations of "
        + "the solution."))
  var points: PointKind = .path

  @Option(
    help: .value(
      "names",
      "Estimators to compare, comma-separated; the first is the one others are divided by. 'all' "
        + "for every one; one of each kind if not given."))
  var estimators: String?

  @Option(help: "Iterations of gradient descent at most.")
  var iterations = 50_000

  @Flag(help: "Compute in float32; the exact answer stays float64.")
  var float32 = false

  @OptionGroup var outputs: OutputOptions

  func validate() throws {
    try requireRange(("--seeds", seeds, 1...1000), ("--iterations", iterations, 1...100_000_000))
    _ = try draw(.squared)
    _ = try estimatorNames()
    try outputs.requireJSON(apartFrom: data.data, data.validation)
  }

  /// How problems are drawn.
  func draw(_ loss: RowLoss) throws -> ProblemDraw {
    ProblemDraw(
      loss: loss, outer: outer ?? (loss == .squared ? .quadratic : .validation),
      // Beyond 50, exp(y) is so large or small that the inner problem cannot be solved.
      penaltyRange: try statedRange(
        "--penalties", penalties, limit: 50, allowsPoint: true, example: "3,6"),
      scalarType: float32 ? .float32 : .float64)
  }

  /// nil leaves the choice to the size of the problem.
  func estimatorNames() throws -> [EstimatorName]? {
    let all = EstimatorName.allCases
    return try estimators.map {
      try named(
        "--estimators", $0, all: all,
        known: "all, \(all.map(\.rawValue).joined(separator: ", "))", as: EstimatorName.init)
    }
  }
}

/// Where approximate inner solutions come from.
enum PointKind: String, ExpressibleByArgument, CaseIterable, Codable {
  case path, random
}

extension OuterKind: ExpressibleByArgument {}
