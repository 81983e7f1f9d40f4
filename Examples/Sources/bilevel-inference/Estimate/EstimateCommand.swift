import ArgumentParser
import Bilevel
import ExampleSupport
import OrthogonalRegression
import RegressionInput

/// `bilevel-inference estimate`: the effect of a treatment from a file, with a nonparametric first
/// stage.
struct EstimateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "estimate",
    abstract: "Instrumental-variable effects with a nonparametric first stage, from a CSV file.",
    discussion: """
      Estimates y = φ(t)'ω + w'β + e with E[e | z, w] = 0: t the endogenous columns, z the \
      instruments, w the exogenous columns. The inner problem regresses on (z, w) by any learner, the \
      outer one fits the outcome; the coefficients are the root of the cross-fitted orthogonal \
      gradient, whose interval holds although the regressions converge slowly.

      Without options, estimates the return to schooling on bundled data (Card 1995), as \
      'iv-regression linear' does by two-stage least squares.

      On your own data:
        bilevel-inference estimate --data FILE --outcome Y --endogenous X \\
          --instruments Z1,Z2 --exogenous W1,W2
      """)

  @Option(
    help: ArgumentHelp(
      "A CSV file with a header line; the bundled card.csv if not given.", valueName: "file"))
  var data: String?

  @OptionGroup var roles: ColumnRoles
  @OptionGroup var options: EstimateOptions
  @OptionGroup var outputs: OutputOptions

  func validate() throws {
    try options.requireInRange()
    try outputs.requireJSON(apartFrom: data)
  }

  func run() throws {
    var specification = RegressionSpecification.card
    if data != nil || !roles.isEmpty { specification = try roles.specification(data: data) }
    if options.exogenousForm == .smooth, specification.exogenous.isEmpty {
      throw ValidationError(
        "--exogenous-form smooth is about exogenous columns, and none are named; name them by "
          + "--exogenous, or leave the option out")
    }
    try outputs.requireUsable()
    // Each problem with the data is told before the first directory is made.
    let run = try EstimateRun(specification, options)
    let directory = try outputs.directory(for: run.fileNames)
    let report = try run.run(writingTo: directory)
    try outputs.writeResults(report)
  }
}

extension StructuralFeatures: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}

extension FirstStageLearner.Kind: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}

extension OrthogonalIV.ExogenousForm: ExpressibleByArgument {}
