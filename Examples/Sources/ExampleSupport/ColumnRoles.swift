import ArgumentParser
import CExampleData
import Econometrics
import TensorFiles

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

  public init() {}

  /// No columns: what the options are where none is given.
  public static var none: ColumnRoles { parseOrExit([]) }

  /// Whether no option was given.
  public var isEmpty: Bool {
    outcome == nil && endogenous == nil && instruments == nil && exogenous == nil
  }

  /// Refuses options that name no model, before a file is read.
  public func requireModel(data: String?) throws {
    guard outcome == nil || endogenous == nil else { return }
    throw ValidationError(
      "--outcome and --endogenous must name columns" + (data == nil ? "" : " of the data")
        + "; for example: --outcome lwage --endogenous educ "
        + "--instruments nearc4 --exogenous exper,black")
  }

  /// Whether exogenous columns are named, or belong to the bundled regression.
  public func hasExogenous(data: String?) -> Bool {
    (data == nil && isEmpty) || !Self.columns(exogenous).isEmpty
  }

  /// The model of the options, its columns read from a file.
  ///
  /// Card (1995), table 3, column 5, is the regression where there are no options: the return to
  /// schooling with college proximity as instrument.
  ///
  /// - Parameters:
  ///   - data: The path of a CSV file; nil for the bundled Card data.
  ///   - clusters: A column of labels.
  public func model(
    data: String? = nil, clusters: String? = nil, addsConstant: Bool = true
  ) throws -> InstrumentalModel {
    var roles = self
    if data == nil, isEmpty {
      (roles.outcome, roles.endogenous, roles.instruments) = ("lwage", "educ", "nearc4")
      roles.exogenous =
        "exper,expersq,black,smsa,south,smsa66,"
        + (662...669).map { "reg\($0)" }.joined(separator: ",")
    }
    try roles.requireModel(data: data)
    let table = try data.map { try CSVTable(contentsOfFile: $0) } ?? Self.card()
    let lists = [roles.endogenous, roles.instruments, roles.exogenous].map(Self.columns)
    // Columns as they are read, without missing values, and several copies in two-stage least squares.
    let count = 1 + lists.joined().count
    try NotEnoughMemory.refuse(
      60 * Double(table.rowCount) * Double(count),
      for: "a regression on \(Numbers.count(table.rowCount)) rows of \(count) columns")
    return try InstrumentalModel(
      table, outcome: roles.outcome ?? "", endogenous: lists[0], instruments: lists[1],
      exogenous: lists[2], clusters: clusters, addsConstant: addsConstant)
  }

  private static func card() throws(FileError) -> CSVTable {
    var count = 0
    let bytes = example_data_card(&count)
    return try CSVTable(
      parsing: [UInt8](UnsafeBufferPointer(start: bytes, count: count)),
      source: "card.csv (bundled)")
  }

  private static func columns(_ list: String?) -> [String] {
    (list ?? "").split(separator: ",").map { name in
      String(name.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }.filter { !$0.isEmpty }
  }
}
