import Econometrics
import ExampleSupport
import RegressionInput
import TensorFiles

/// One run of `linear`: reads, estimates, prints and plots.
struct LinearRun {
  let specification: RegressionSpecification
  let seed: UInt64

  init(_ specification: RegressionSpecification, seed: UInt64) {
    self.specification = specification
    self.seed = seed
  }

  /// Runs, and returns what `--json` writes.
  ///
  /// The directory is made only once there are results.
  func run(writingTo directory: () throws -> OutputDirectory) throws -> LinearReport {
    let progress = ProgressMeter(label: "linear", total: 4, unit: nil)
    let table = try specification.table()
    progress.update(completed: 1, note: "read \(Numbers.count(table.rowCount)) rows")
    let sample = try RegressionSample(specification, from: table)
    let result = try TwoStageLeastSquares(sample.model, covariance: specification.covariance)
    progress.update(completed: 2, note: "estimated")
    let nonparametric = NonparametricStage(specification, sample.model, seed: seed)
    progress.update(completed: 3, note: "cross-fitted")
    let report = LinearReport(specification, sample, result, nonparametric, seed: seed)
    let directory = try directory()
    let files = try [
      LinearFiles.writeCoefficients(report, to: directory),
      LinearFiles.writePlot(report, result, to: directory),
    ]
    progress.update(completed: 4, note: "plotted")
    progress.finish()
    print(LinearSummary(specification, report, result).text())
    print("\nWrote \(files.joined(separator: " and "))")
    return report
  }

  /// Runs with a directory that is already there.
  func run(writingTo directory: OutputDirectory) throws -> LinearReport {
    try run(writingTo: { directory })
  }
}
