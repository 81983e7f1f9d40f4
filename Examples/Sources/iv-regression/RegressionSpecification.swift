import Econometrics

/// Which columns of which file play which part in a linear regression with instruments.
struct RegressionSpecification {
  /// The path of a CSV file; nil for the bundled Card data.
  var data: String?
  var outcome: String
  var endogenous: [String]
  var instruments: [String]
  var exogenous: [String]
  var covariance = CovarianceType.unadjusted
  var addsConstant = true

  /// Card (1995), table 3, column 5: the return to schooling with college proximity as instrument.
  static let card = RegressionSpecification(
    outcome: "lwage", endogenous: ["educ"], instruments: ["nearc4"],
    exogenous: ["exper", "expersq", "black", "smsa", "south", "smsa66"]
      + (662...669).map { "reg\($0)" })

  /// Whether this is Card's regression on Card's data, about which more can be said in words.
  var isCard: Bool {
    let card = Self.card
    return data == nil && outcome == card.outcome && endogenous == card.endogenous
      && instruments == card.instruments && exogenous == card.exogenous && addsConstant
  }
}
