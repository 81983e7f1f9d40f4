import ArgumentParser
import Econometrics
import ExampleSupport
import Foundation

/// `iv-regression linear`: two-stage least squares on the columns of a CSV file.
struct LinearCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "linear",
    abstract: "Two-stage least squares with standard errors, on the columns of a CSV file.",
    discussion: """
      Without options, estimates the return to schooling on bundled data: 3,010 men of the National \
      Longitudinal Survey, log wage on years of schooling, instrumented by whether a college is \
      near (Card 1995).

      On your own data:
        iv-regression linear --data FILE --outcome Y --endogenous X \\
          --instruments Z1,Z2 --exogenous W1,W2

      Standard errors are not adjusted for small samples (variances divide by n), as in the Python \
      package linearmodels. Rows with a missing value (an empty field, NA, NaN or .) in a column \
      that is used are dropped and counted. Two-stage least squares has nothing random; the \
      nonparametric first stage beside it is cross-fitted on splits drawn by --seed.
      """)

  @Option(
    help: ArgumentHelp(
      "A CSV file with a header line; the bundled card.csv if not given.", valueName: "file"))
  var data: String?

  @OptionGroup var roles: ColumnRoles

  @Option(
    help: ArgumentHelp(
      "Standard errors for errors of equal variance, or of any variance.",
      valueName: "unadjusted|robust"))
  var covariance: CovarianceType = .unadjusted

  @Flag(name: .long, help: "Add no constant to the exogenous columns.")
  var noConstant = false

  @OptionGroup var shared: SharedOptions

  func validate() throws { try shared.outputs.requireJSON(apartFrom: data) }

  func run() throws {
    try shared.outputs.requireUsable()
    let result = try LinearRun(
      data: data, roles: roles, covariance: covariance, addsConstant: !noConstant,
      seed: shared.seed
    ).run(writingTo: { try shared.outputs.directory() })
    try shared.outputs.writeResults(result)
  }
}

extension CovarianceType: @retroactive ExpressibleByArgument {}

/// One run of `linear`: reads, estimates, prints and plots.
struct LinearRun {
  var data: String?
  var roles = ColumnRoles.none
  var covariance = CovarianceType.unadjusted
  var addsConstant = true
  let seed: UInt64

  /// Runs, and returns what `--json` writes.
  ///
  /// The directory is made only once there are results.
  func run(
    writingTo directory: () throws -> OutputDirectory
  ) throws -> InstrumentalResult<LinearEstimates> {
    let progress = ProgressMeter(label: "linear", total: 4, unit: nil)
    let model = try roles.model(data: data, addsConstant: addsConstant)
    let rowCount = model.observationCount + model.droppedRows.count
    progress.update(completed: 1, note: "read \(Numbers.count(rowCount)) rows")
    let fit = try TwoStageLeastSquares(model, covariance: covariance)
    progress.update(completed: 2, note: "estimated")
    // The bundled rows are different men.
    let stage = NonparametricStage(model, seed: seed, allowsDuplicates: data == nil)
    progress.update(completed: 3, note: "cross-fitted")
    let result = fit.result(beside: stage, seed: seed)
    let files = try LinearFiles(result: result, fit: fit).write(to: directory())
    progress.update(completed: 4, note: "plotted")
    progress.finish()
    print(
      result.estimates.summary(
        of: result.sample, interpretation: interpretation(of: result)))
    print("\nWrote \(files.joined(separator: " and "))")
    return result
  }

  /// What Card's regression says in words; nil for another one.
  private func interpretation(of result: InstrumentalResult<LinearEstimates>) -> String? {
    guard data == nil, roles.isEmpty, addsConstant, let estimate = result.parameters["educ"],
      let ordinary = result.ordinaryLeastSquares.parameters["educ"]
    else { return nil }
    func percent(_ change: Double) -> String {
      Numbers.fixed(100 * expm1(change), decimals: 1) + "\u{A0}%"
    }
    let interval =
      (result.confidenceIntervals["educ"] ?? nil).map {
        "95\u{A0}% interval \(percent($0.lowerBound)) to \(percent($0.upperBound))"
      } ?? "interval withheld"
    return wrapped(
      "One more year of schooling raises the wage by about \(percent(estimate)) (\(interval)), "
        + "against \(percent(ordinary)) by OLS, if living near a college affects wages only through "
        + "schooling.")
  }
}
