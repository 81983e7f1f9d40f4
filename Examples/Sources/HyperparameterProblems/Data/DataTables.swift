import Autodiff
import TensorFiles

/// Whether two names of columns are the same to the byte: those that differ only by how Unicode composes
/// a letter name different columns.
private func isSameName(_ a: String, _ b: String) -> Bool { a.utf8.elementsEqual(b.utf8) }

extension LabeledData {
  /// The complete rows of a CSV table: one column of labels, all others features.
  ///
  /// - Parameters:
  ///   - table: The table.
  ///   - labelColumn: The column of the labels; nil for the first.
  ///   - training: The data whose columns are wanted, in their order; nil for those of the table.
  ///   - allowsTextLabels: Whether labels may be text, which then become the numbers 0, 1, … of the
  ///     sorted texts.
  /// - Throws: `FileError`, `ProblemError.noFeatures`, `ProblemError.tooFewRows`,
  ///   `ProblemError.differentColumns` or `ProblemError.notFinite`.
  public init(
    _ table: CSVTable, labelColumn: String?, matching training: LabeledData? = nil,
    allowsTextLabels: Bool = false
  ) throws {
    let label = labelColumn ?? training?.notes.labelName ?? table.columnNames[0]
    if let training { try Self.requireSameColumns(table, label: label, as: training) }
    let (labels, classes) = try Self.labels(table, label, allowsText: allowsTextLabels)
    let names = training?.featureNames ?? table.columnNames.filter { !isSameName($0, label) }
    guard !names.isEmpty else { throw ProblemError.noFeatures(source: table.source) }
    let columns = try names.map { try table.numbers($0) }
    for (name, column) in zip([label] + names, [labels] + columns) {
      guard let row = column.firstIndex(where: { $0?.isFinite == false }) else { continue }
      throw ProblemError.notFinite(
        at: try table.position(row: row, column: name),
        found: try table.text(row: row, column: name))
    }
    var rows: [[Double]] = []
    var kept: [Double] = []
    for row in 0..<table.rowCount {
      let values = columns.compactMap { $0[row] }
      guard values.count == names.count, let value = labels[row] else { continue }
      rows.append(values)
      kept.append(value)
    }
    guard !rows.isEmpty else {
      throw ProblemError.tooFewRows(source: table.source, rows: 0, needed: 1)
    }
    let dropped = DroppedRows(
      source: table.source, rows: table.rowCount, kept: rows.count, reason: .missing)
    self.init(
      source: table.source, features: Tensor(rows: rows), labels: Tensor(kept),
      featureNames: names,
      notes: DataNotes(labelName: label, classNames: classes, dropped: dropped))
    try requireRepresentableSquares()
  }

  private static func requireSameColumns(
    _ table: CSVTable, label: String, as training: LabeledData
  ) throws(ProblemError) {
    guard let names = training.featureNames else { return }
    let wanted = [label] + names
    let missing = wanted.filter { name in !table.columnNames.contains { isSameName($0, name) } }
    let extra = table.columnNames.filter { name in !wanted.contains { isSameName($0, name) } }
    guard missing.isEmpty, extra.isEmpty else {
      throw .differentColumns(
        training: training.source, validation: table.source, missing: missing, extra: extra)
    }
  }

  private static func labels(
    _ table: CSVTable, _ column: String, allowsText: Bool
  ) throws -> (values: [Double?], classes: [String]?) {
    let numbers = Result { () throws(FileError) in try table.numbers(column) }
    if allowsText, case .failure(let error) = numbers, error.kind == .invalidValue {
      let texts = try table.strings(column)
      let classes = Set(texts.compactMap { $0 }).sorted()
      return (texts.map { $0.flatMap { classes.firstIndex(of: $0) }.map { Double($0) } }, classes)
    }
    return (try numbers.get(), nil)
  }

  /// Refuses columns whose squares overflow, or all vanish.
  ///
  /// - Throws: `ProblemError.extremeValues`.
  func requireRepresentableSquares() throws(ProblemError) {
    let label = notes.labelName ?? "label"
    try Self.requireRepresentable(abs(labels).max().scalar, source, label)
    for (index, size) in abs(features).max(alongAxis: 0).scalars.enumerated() {
      try Self.requireRepresentable(size, source, name(ofFeature: index))
    }
  }

  private static func requireRepresentable(
    _ size: Double, _ source: String, _ column: String
  ) throws(ProblemError) {
    guard size <= 1e150, size == 0 || size >= 1e-150 else {
      throw .extremeValues(source: source, column: column, size: size)
    }
  }
}
