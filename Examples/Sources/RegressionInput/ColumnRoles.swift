import ArgumentParser

/// Which columns play which part, as options.
public struct ColumnRoles: ParsableArguments {
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

  /// No columns.
  public init() {}

  /// Whether no option was given.
  public var isEmpty: Bool {
    outcome == nil && endogenous == nil && instruments == nil && exogenous == nil
  }

  /// The regression the options ask for.
  ///
  /// - Parameter data: The path of a file; nil for the bundled data.
  public func specification(data: String?) throws -> RegressionSpecification {
    guard let outcome, let endogenous else {
      throw ValidationError(
        "--outcome and --endogenous must name columns"
          + (data == nil ? "" : " of the data")
          + "; for example: --outcome lwage --endogenous educ "
          + "--instruments nearc4 --exogenous exper,black")
    }
    return RegressionSpecification(
      data: data, outcome: outcome, endogenous: Self.columns(endogenous),
      instruments: Self.columns(instruments ?? ""), exogenous: Self.columns(exogenous ?? ""))
  }

  private static func columns(_ list: String) -> [String] {
    list.split(separator: ",").map { name in
      String(name.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }.filter { !$0.isEmpty }
  }
}
