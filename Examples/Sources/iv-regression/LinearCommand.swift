import ArgumentParser
import Econometrics
import ExampleSupport

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
      that is used are dropped and counted. The computation is deterministic.
      """)

  @Option(
    help: ArgumentHelp(
      "A CSV file with a header line; the bundled card.csv if not given.", valueName: "file"))
  var data: String?

  @Option(help: ArgumentHelp("The column to explain.", valueName: "column"))
  var outcome: String?

  @Option(
    help: ArgumentHelp(
      "The explanatory columns that may be correlated with the error.", valueName: "columns"))
  var endogenous: String?

  @Option(
    help: ArgumentHelp(
      "The columns that move the endogenous ones and affect the outcome in no other way; at least "
        + "as many as there are endogenous columns.", valueName: "columns"))
  var instruments: String?

  @Option(
    help: ArgumentHelp(
      "The explanatory columns taken as uncorrelated with the error.", valueName: "columns"))
  var exogenous: String?

  @Option(
    help: ArgumentHelp(
      "Standard errors for errors of equal variance, or of any variance.",
      valueName: "unadjusted|robust"))
  var covariance: CovarianceType = .unadjusted

  @Flag(name: .long, help: "Add no constant to the exogenous columns.")
  var noConstant = false

  @OptionGroup var shared: SharedOptions

  func run() throws {
    let run = LinearRun(try specification(), seed: shared.seed)
    let report = try run.run(writingTo: { try shared.outputDirectory() })
    try shared.writeResults(report)
  }

  /// The regression the options ask for: Card's, unless they name columns or a file.
  private func specification() throws -> LinearSpecification {
    var result = LinearSpecification.card
    result.covariance = covariance
    result.addsConstant = !noConstant
    if data == nil, outcome == nil, endogenous == nil, instruments == nil, exogenous == nil {
      return result
    }
    guard let outcome, let endogenous else {
      throw ValidationError(
        "--outcome and --endogenous must name columns"
          + (data == nil ? "" : " of the data") + "; for example: --outcome lwage --endogenous educ "
          + "--instruments nearc4 --exogenous exper,black")
    }
    result.data = data
    result.outcome = outcome
    result.endogenous = columns(endogenous)
    result.instruments = columns(instruments ?? "")
    result.exogenous = columns(exogenous ?? "")
    return result
  }

  private func columns(_ list: String) -> [String] {
    list.split(separator: ",").map { name in
      String(name.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }.filter { !$0.isEmpty }
  }
}

extension CovarianceType: ExpressibleByArgument {}
