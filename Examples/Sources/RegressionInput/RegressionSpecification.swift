import CExampleData
import Econometrics
import TensorFiles

/// Which columns of which file play which part in a linear regression with instruments.
public struct RegressionSpecification: Sendable {
  /// The path of a CSV file; nil for the bundled Card data.
  public var data: String?
  /// The column to explain.
  public var outcome: String
  /// The explanatory columns that may be correlated with the error.
  public var endogenous: [String]
  /// The columns that move the endogenous ones.
  public var instruments: [String]
  /// The other explanatory columns.
  public var exogenous: [String]
  /// How the covariance of two-stage least squares is computed.
  public var covariance = CovarianceType.unadjusted
  /// Whether a constant is added to the exogenous columns.
  public var addsConstant = true

  /// Columns of a file.
  public init(
    data: String? = nil, outcome: String, endogenous: [String], instruments: [String],
    exogenous: [String]
  ) {
    self.data = data
    self.outcome = outcome
    self.endogenous = endogenous
    self.instruments = instruments
    self.exogenous = exogenous
  }

  /// Card (1995), table 3, column 5: the return to schooling with college proximity as instrument.
  public static let card = RegressionSpecification(
    outcome: "lwage", endogenous: ["educ"], instruments: ["nearc4"],
    exogenous: ["exper", "expersq", "black", "smsa", "south", "smsa66"]
      + (662...669).map { "reg\($0)" })

  /// Whether this is Card's regression on Card's data, about which more can be said in words.
  public var isCard: Bool {
    let card = Self.card
    return data == nil && outcome == card.outcome && endogenous == card.endogenous
      && instruments == card.instruments && exogenous == card.exogenous && addsConstant
  }

  /// The table that the columns are taken from.
  public func table() throws(FileError) -> CSVTable {
    if let data { return try CSVTable(contentsOfFile: data) }
    var count = 0
    let bytes = example_data_card(&count)
    return try CSVTable(
      parsing: [UInt8](UnsafeBufferPointer(start: bytes, count: count)),
      source: "card.csv (bundled)")
  }
}
