import Econometrics
import ExampleSupport
import Inference
import OrthogonalRegression
import RegressionInput
import TensorFiles

/// One run of `estimate`: reads, estimates, prints and plots.
struct EstimateRun {
  private let options: EstimateOptions
  private let sample: RegressionSample
  private let droppedLines: [Int]
  private let duplicates: Int
  private let linear: TwoStageLeastSquares

  /// Reads the data, and refuses what cannot be estimated.
  init(_ specification: RegressionSpecification, _ options: EstimateOptions) throws {
    self.options = options
    let table = try specification.table()
    let sample = try RegressionSample(specification, groupedBy: options.groups, from: table)
    droppedLines = try sample.droppedRows.prefix(DuplicatedRows.shownLines).map {
      try table.position(row: $0, column: specification.outcome).line
    }
    duplicates = OrthogonalIV.repeatedRows(of: sample.model, groups: sample.groups)
    // The bundled rows are different men.
    if duplicates > 0, !options.allowDuplicates, specification.data != nil {
      throw DuplicatedRows(
        source: sample.source, count: duplicates, groupColumn: options.groups)
    }
    let (rows, columns) = (
      sample.model.observationCount,
      sample.model.instruments.count + sample.model.varyingExogenous.count
    )
    try NotEnoughMemory.refuse(
      options.regression.learner.byteCount(rows: rows, variables: columns),
      for: "learning on \(Numbers.count(rows)) rows of \(columns) columns by --nuisances "
        + "\(options.nuisances)")
    linear = try TwoStageLeastSquares(
      sample.model, covariance: .robust, clusters: sample.groups)
    self.sample = sample
  }

  /// The files that a run leaves.
  var fileNames: [String] {
    ["estimate-coefficients.csv", "estimate.svg"] + (hasCurves ? ["estimate-curves.csv"] : [])
  }

  private var hasCurves: Bool { options.features != .linear }

  /// Estimates, prints and writes; returns what `--json` holds.
  func run(writingTo directory: OutputDirectory) throws -> EstimateReport {
    let model = sample.model
    let fit = try options.regression.fit(model, groups: sample.groups)
    var curves: [StructuralCurve] = []
    if hasCurves {
      for (index, variable) in model.endogenous.enumerated() {
        let grid = StructuralCurve.grid(of: variable.values)
        curves.append(
          try StructuralCurve(
            of: variable.name, at: grid,
            try fit.structuralFunction(of: index, at: grid, in: model), level: options.level,
            seed: options.seed))
      }
    }
    var intervals = fit.effects.intervals(level: options.level)
    if fit.effects.count > 1 {
      intervals = try fit.effects.simultaneousIntervals(
        level: options.level, bootstrap: MultiplierBootstrap(seed: options.seed))
    }
    let report = EstimateReport(
      sample, options, fit, intervals, robustSet: try fit.robustSet(level: options.level), linear,
      curves, duplicates: duplicates)
    print(
      EstimateSummary(
        report: report, fit: fit, linear: linear, intervals: intervals, droppedLines: droppedLines
      ).text)
    try EstimateFiles(report: report, curves: curves).write(to: directory)
    print("\nWrote \(fileNames.joined(separator: ", ")) to \(directory.path)")
    return report
  }
}

/// Rows that repeat others, which cross-fitting must not take for independent by accident.
struct DuplicatedRows: Error, CustomStringConvertible {
  static let shownLines = 5
  let source: String
  let count: Int
  /// The column that tells units apart already; nil where none is named.
  let groupColumn: String?

  var description: String {
    let rows = count == 1 ? "1 row repeats" : "\(Numbers.count(count)) rows repeat"
    let (which, advice) =
      groupColumn.map {
        (
          "an earlier one of another group of '\($0)'",
          "give copies of one unit the same label in '\($0)'"
        )
      } ?? ("an earlier one", "name the column of a unit by --groups")
    return "\(source): \(rows) \(which) in all columns used, and copies of one observation in "
      + "training and held-out folds make intervals too short. Remove copies, \(advice), or add "
      + "--allow-duplicates where they are separate observations"
  }
}
