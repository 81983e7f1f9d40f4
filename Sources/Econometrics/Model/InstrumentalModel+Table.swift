import Inference
import TensorFiles

extension InstrumentalModel {
  /// The columns of a table, without the rows that lack a value in one of them.
  ///
  ///     let model = try InstrumentalModel(
  ///       CSVTable(contentsOfFile: "wages.csv"), outcome: "lwage", endogenous: ["educ"],
  ///       instruments: ["nearc4"], exogenous: ["exper", "black"])
  ///
  /// - Parameters:
  ///   - weights: A column of positive numbers.
  ///   - clusters: A column of labels of dependent rows.
  ///   - addsConstant: Whether to add a column of ones to the exogenous columns.
  /// - Throws: `FileError` where a column is not there or not of numbers, or `ModelError`.
  public init(
    _ table: CSVTable, outcome: String, endogenous: [String], instruments: [String],
    exogenous: [String] = [], weights: String? = nil, clusters: String? = nil,
    addsConstant: Bool = true
  ) throws {
    let names = [outcome] + endogenous + instruments + exogenous + [weights].compactMap { $0 }
    var columns: [String: [Double?]] = [:]
    for name in names where columns[name] == nil {
      let values = try table.numbers(name)
      if let row = values.firstIndex(where: { $0?.isFinite == false }) {
        throw ModelError.infiniteField(
          at: try table.position(row: row, column: name),
          found: try table.text(row: row, column: name))
      }
      columns[name] = values
    }
    let labels = try clusters.map { try table.strings($0) }
    let isComplete = (0..<table.rowCount).map { row in
      columns.values.allSatisfy { $0[row] != nil } && (labels.map { $0[row] != nil } ?? true)
    }
    let rows = isComplete.indices.filter { isComplete[$0] }
    func values(_ name: String) -> [Double] {
      let column = columns[name] ?? []
      return rows.compactMap { column[$0] }
    }
    func variable(_ name: String) -> Variable { Variable(name: name, values: values(name)) }
    try self.init(
      outcome: variable(outcome), endogenous: endogenous.map(variable),
      instruments: instruments.map(variable), exogenous: exogenous.map(variable),
      weights: weights.map(values),
      clusters: labels.map { labels in Self.numbered(rows.compactMap { labels[$0] }) },
      addsConstant: addsConstant)
    source = table.source
    clusterColumn = clusters
    droppedRows = isComplete.indices.filter { !isComplete[$0] }
    droppedLines = try droppedRows.prefix(5).map {
      try table.position(row: $0, column: outcome).line
    }
  }
}
