import ArgumentParser
import Econometrics
import ExampleSupport
import RegressionInput

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
    let run = LinearRun(try specification(), seed: shared.seed)
    let report = try run.run(writingTo: { try shared.outputs.directory() })
    try shared.outputs.writeResults(report)
  }

  /// The regression the options ask for: Card's, unless they name columns or a file.
  private func specification() throws -> RegressionSpecification {
    var result = RegressionSpecification.card
    if data != nil || !roles.isEmpty { result = try roles.specification(data: data) }
    result.covariance = covariance
    result.addsConstant = !noConstant
    return result
  }
}

extension CovarianceType: ExpressibleByArgument {}
