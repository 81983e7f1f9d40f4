import Autodiff
import CExampleData
import TensorFiles

/// How a file of the user's is read.
public struct DataFileOptions: Sendable, Equatable {
  /// Whether a row is dropped if a LIBSVM file leaves out one of its features; otherwise what is
  /// left out is zero, as the format means it.
  public var dropsOmitted: Bool

  /// The column of a CSV file that holds the labels; nil for the first.
  public var labelColumn: String?

  /// Whether the labels of a CSV file may be text, the names of classes.
  public var allowsTextLabels: Bool

  /// The delimiter of a CSV file and its texts for missing values.
  public var format: CSVFormat

  /// Creates options.
  public init(
    dropsOmitted: Bool = false, labelColumn: String? = nil, allowsTextLabels: Bool = false,
    format: CSVFormat = .standard
  ) {
    (self.dropsOmitted, self.labelColumn) = (dropsOmitted, labelColumn)
    (self.allowsTextLabels, self.format) = (allowsTextLabels, format)
  }

  /// Whether a file of this name is read as CSV, compressed or not.
  public static func isTable(_ path: String) -> Bool {
    [".csv", ".csv.gz"].contains { path.lowercased().hasSuffix($0) }
  }

  /// Whether bytes of which the name says nothing are CSV: lines of the LIBSVM text format start with a
  /// number and a blank.
  static func isTable(_ bytes: [UInt8]) -> Bool {
    let line = bytes.drop { $0 == 0x0A || $0 == 0x0D }.prefix { $0 != 0x0A && $0 != 0x0D }
    let label = line.prefix { $0 != 0x20 && $0 != 0x09 }
    return Double(String(decoding: label, as: UTF8.self)) == nil
  }
}

extension LabeledData {
  /// Reads a file: CSV if its name ends with `.csv` or `.csv.gz`, else the LIBSVM text format.
  ///
  /// What comes from a stream such as `/dev/stdin` is known by its first line.
  ///
  /// - Parameters:
  ///   - path: The path of the file.
  ///   - options: How to read it.
  ///   - training: The data this file adds rows to: columns are found by their names, in any order,
  ///     and a LIBSVM file has as many features.
  /// - Throws: `FileError`, `LIBSVMError` or `ProblemError`.
  public init(
    contentsOfFile path: String, options: DataFileOptions = DataFileOptions(),
    matching training: LabeledData? = nil
  ) throws {
    let isStream = TextFile.isStream(path)
    let bytes = try TextFile.bytes(of: path)
    if isStream ? DataFileOptions.isTable(bytes) : DataFileOptions.isTable(path) {
      try self.init(
        CSVTable(parsing: bytes, source: path, format: options.format),
        labelColumn: options.labelColumn, matching: training,
        allowsTextLabels: options.allowsTextLabels)
    } else {
      // The last features may all be zero in the validation rows.
      try self.init(
        LIBSVMDataset(parsing: bytes, source: path, featureCount: training?.featureCount),
        dropsOmitted: options.dropsOmitted)
    }
  }

  /// The rows of a LIBSVM file.
  ///
  /// - Parameter dropsOmitted: Whether rows with an omitted feature are dropped.
  /// - Throws: `LIBSVMError`, `ProblemError.noFeatures` or
  ///   `ProblemError.tooFewRows`.
  public init(_ data: LIBSVMDataset, dropsOmitted: Bool) throws {
    guard data.featureCount > 0 else { throw ProblemError.noFeatures(source: data.source) }
    let kept = dropsOmitted ? data.droppingRowsWithOmittedEntries() : data
    guard kept.rowCount > 0 else {
      throw ProblemError.tooFewRows(source: data.source, rows: 0, needed: 1)
    }
    let dropped = DroppedRows(
      source: data.source, rows: data.rowCount, kept: kept.rowCount, reason: .omitted)
    self.init(
      source: data.source, features: try kept.features(), labels: Tensor(kept.labels),
      notes: DataNotes(dropped: dropped))
    try requireRepresentableSquares()
  }
}

/// The data sets compiled into the program, with rows that omit a feature dropped.
public enum BundledData {
  /// Auto MPG: 297 rows of 7 scaled features, labels in miles per gallon.
  public static func mpg() throws -> LabeledData {
    try load("mpg_scale (bundled)", example_data_mpg)
  }

  /// Liver disorders: 144 rows for training and 200, whose features are not scaled, for validation;
  /// 5 features, labels -1 and 1.
  public static func liver() throws -> DataSplit {
    try DataSplit(
      training: load("liver-disorders_scale (bundled)", example_data_liver).withSignLabels(),
      validation: load("liver-disorders_scale.t (bundled)", example_data_liver_test)
        .withSignLabels())
  }

  private static func load(
    _ source: String, _ bytes: (UnsafeMutablePointer<Int>?) -> UnsafePointer<UInt8>?
  ) throws -> LabeledData {
    var count = 0
    let start = bytes(&count)
    let data = try LIBSVMDataset(
      parsing: [UInt8](UnsafeBufferPointer(start: start, count: count)), source: source)
    return try LabeledData(data, dropsOmitted: true)
  }
}

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
