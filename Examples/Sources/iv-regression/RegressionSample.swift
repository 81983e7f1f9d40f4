import Econometrics
import TensorFiles

/// The rows of a table that have all values the regression uses.
struct RegressionSample {
  let model: InstrumentalModel
  let source: String
  let droppedRows: Int

  init(model: InstrumentalModel, source: String, droppedRows: Int) {
    self.model = model
    self.source = source
    self.droppedRows = droppedRows
  }

  init(_ specification: RegressionSpecification, from table: CSVTable) throws {
    let names =
      [specification.outcome] + specification.endogenous + specification.instruments
      + specification.exogenous
    var columns: [String: [Double?]] = [:]
    for name in names where columns[name] == nil {
      let values = try table.numbers(name)
      if let row = values.firstIndex(where: { $0?.isFinite == false }) {
        throw InfiniteValue(position: try table.position(row: row, column: name))
      }
      columns[name] = values
    }
    let rows = (0..<table.rowCount).filter { row in
      columns.values.allSatisfy { $0[row] != nil }
    }
    func variable(_ name: String) -> Variable {
      let column = columns[name] ?? []
      return Variable(name: name, values: rows.compactMap { column[$0] })
    }
    source = table.source
    droppedRows = table.rowCount - rows.count
    model = try InstrumentalModel(
      outcome: variable(specification.outcome),
      endogenous: specification.endogenous.map(variable),
      instruments: specification.instruments.map(variable),
      exogenous: specification.exogenous.map(variable),
      addsConstant: specification.addsConstant)
  }
}

/// A field that holds an infinite number, which no regression can use.
struct InfiniteValue: Error, CustomStringConvertible {
  let position: CSVPosition

  var description: String {
    "\(position): the number is infinite; correct the field, or leave it empty to drop the row"
  }
}
