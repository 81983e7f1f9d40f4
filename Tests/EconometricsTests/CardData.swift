import Econometrics
import Foundation
import TensorFiles

/// The bundled Card (1995) data.
enum CardData {
  static let controls =
    ["exper", "expersq", "black", "smsa", "south", "smsa66"] + (662...669).map { "reg\($0)" }

  static func table() throws -> CSVTable {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    return try CSVTable(contentsOf: root.appending(path: "Examples/Data/card.csv"))
  }

  /// A model of log wages on the rows with all values.
  static func model(
    endogenous: [String] = ["educ"], instruments: [String] = ["nearc4"],
    exogenous: [String] = controls, clusters: String? = nil, addsConstant: Bool = true
  ) throws -> InstrumentalModel {
    try InstrumentalModel(
      try table(), outcome: "lwage", endogenous: endogenous, instruments: instruments,
      exogenous: exogenous, clusters: clusters, addsConstant: addsConstant)
  }
}
