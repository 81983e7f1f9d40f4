import Econometrics
import ExampleSupport
import TensorFiles

/// The rows of a table that have all values the regression uses.
public struct RegressionSample: Sendable {
  /// The columns in their parts.
  public let model: InstrumentalModel
  /// Where the rows come from.
  public let source: String
  /// The group of every row as a number; nil where no column of groups was named.
  public let groups: [Int]?
  /// The rows of the table, counted from 0, that lack a value.
  public let droppedRows: [Int]

  /// Rows that are not from a table.
  public init(model: InstrumentalModel, source: String) {
    (self.model, self.source, groups, droppedRows) = (model, source, nil, [])
  }

  /// Reads the columns of a regression.
  ///
  /// - Parameter groupColumn: A column of labels; a row without one is dropped.
  /// - Throws: `FileError`, `InfiniteValue`, `ModelError` or `NotEnoughMemory`.
  public init(
    _ specification: RegressionSpecification, groupedBy groupColumn: String? = nil,
    from table: CSVTable
  ) throws {
    let names =
      [specification.outcome] + specification.endogenous + specification.instruments
      + specification.exogenous
    // Columns as they are read, without missing values, and several copies in two-stage least squares.
    try NotEnoughMemory.refuse(
      60 * Double(table.rowCount) * Double(names.count),
      for: "a regression on \(Numbers.count(table.rowCount)) rows of \(names.count) columns")
    var columns: [String: [Double?]] = [:]
    for name in names where columns[name] == nil {
      let values = try table.numbers(name)
      if let row = values.firstIndex(where: { $0?.isFinite == false }) {
        throw InfiniteValue(
          position: try table.position(row: row, column: name),
          found: try table.text(row: row, column: name))
      }
      columns[name] = values
    }
    var labels: [String?]?
    if let groupColumn { labels = try table.strings(groupColumn) }
    let isComplete = (0..<table.rowCount).map { row in
      columns.values.allSatisfy { $0[row] != nil } && (labels.map { $0[row] != nil } ?? true)
    }
    let rows = isComplete.indices.filter { isComplete[$0] }
    func variable(_ name: String) -> Variable {
      let column = columns[name] ?? []
      return Variable(name: name, values: rows.compactMap { column[$0] })
    }
    source = table.source
    droppedRows = isComplete.indices.filter { !isComplete[$0] }
    groups = labels.map { labels in Self.numbered(rows.compactMap { labels[$0] }) }
    model = try InstrumentalModel(
      outcome: variable(specification.outcome),
      endogenous: specification.endogenous.map(variable),
      instruments: specification.instruments.map(variable),
      exogenous: specification.exogenous.map(variable),
      addsConstant: specification.addsConstant)
  }

  /// Labels as numbers in the order of their first appearance.
  private static func numbered(_ labels: [String]) -> [Int] {
    var numbers: [String: Int] = [:]
    return labels.map { label in
      let number = numbers[label] ?? numbers.count
      numbers[label] = number
      return number
    }
  }
}

/// A field that holds an infinite number, which no regression can use.
public struct InfiniteValue: Error, CustomStringConvertible {
  let position: TextPosition
  let found: String

  public var description: String {
    "\(position): the number is infinite (\"\(found)\"); correct the field, or leave it empty to drop "
      + "the row"
  }
}
