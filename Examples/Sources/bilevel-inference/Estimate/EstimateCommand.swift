import ArgumentParser
import Econometrics
import ExampleSupport

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
    if data != nil || !roles.isEmpty { try roles.requireModel(data: data) }
    if options.exogenousForm == .smooth, !roles.hasExogenous(data: data) {
      throw ValidationError(
        "--exogenous-form smooth is about exogenous columns, and none are named; name them by "
          + "--exogenous, or leave the option out")
    }
    try outputs.requireUsable()
    // Each problem with the data is told before the first directory is made.
    let model = try roles.model(data: data, clusters: options.groups)
    let (rows, columns) = (
      model.observationCount, model.instruments.count + model.varyingExogenous.count
    )
    try NotEnoughMemory.refuse(
      options.regression.learner.byteCount(rows: rows, variables: columns),
      for: "learning on \(Numbers.count(rows)) rows of \(columns) columns by --nuisances "
        + "\(options.nuisances)")
    let duplicates = model.repeatedRowCount
    // The bundled rows are different men.
    if duplicates > 0, !options.allowDuplicates, data != nil {
      throw DuplicatedRows(
        source: model.source, count: duplicates, groupColumn: options.groups)
    }
    _ = try TwoStageLeastSquares(model)
    let curves = options.features == .linear ? [] : ["estimate-curves.csv"]
    let names = ["estimate-coefficients.csv", "estimate.svg"] + curves
    let directory = try outputs.directory(for: names)
    let result = try options.regression.fit(model).result(level: options.level)
    print(result)
    try EstimateFiles(result: result).write(to: directory)
    print("\nWrote \(names.joined(separator: ", ")) to \(directory.path)")
    try outputs.writeResults(result)
  }
}

/// Rows that repeat others, which cross-fitting must not take for independent by accident.
struct DuplicatedRows: Error, CustomStringConvertible {
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

extension StructuralFeatures: @retroactive ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}

extension FirstStageLearner.Kind: @retroactive ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}

extension OrthogonalIV.ExogenousForm: @retroactive ExpressibleByArgument {}
