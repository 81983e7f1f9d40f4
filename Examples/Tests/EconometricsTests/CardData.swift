import CExampleData
import Econometrics
import TensorFiles

/// The bundled Card (1995) data.
enum CardData {
  static let controls =
    ["exper", "expersq", "black", "smsa", "south", "smsa66"] + (662...669).map { "reg\($0)" }

  static func table() throws -> CSVTable {
    var count = 0
    let bytes = example_data_card(&count)
    return try CSVTable(
      parsing: [UInt8](UnsafeBufferPointer(start: bytes, count: count)), source: "card.csv")
  }

  /// A model of log wages on the rows with all values.
  static func model(
    endogenous: [String], instruments: [String], exogenous: [String] = controls,
    addsConstant: Bool = true
  ) throws -> InstrumentalModel {
    let table = try table()
    let names = ["lwage"] + endogenous + instruments + exogenous
    let columns = try names.map { try table.numbers($0) }
    let rows = (0..<table.rowCount).filter { row in columns.allSatisfy { $0[row] != nil } }
    var variables = zip(names, columns).map { name, column in
      Variable(name: name, values: rows.compactMap { column[$0] })
    }[...]
    return try InstrumentalModel(
      outcome: variables.removeFirst(),
      endogenous: endogenous.map { _ in variables.removeFirst() },
      instruments: instruments.map { _ in variables.removeFirst() },
      exogenous: exogenous.map { _ in variables.removeFirst() }, addsConstant: addsConstant)
  }
}
