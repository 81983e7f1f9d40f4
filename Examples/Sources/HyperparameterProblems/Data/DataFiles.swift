import Autodiff
import CExampleData
import TensorFiles

/// How a file of the user's is read.
public struct DataFileOptions: Sendable, Equatable {
  /// Whether a feature that a LIBSVM file leaves out is zero; otherwise the row is dropped.
  public var readsOmittedAsZero: Bool

  /// The column of a CSV file that holds the labels; nil for the first.
  public var labelColumn: String?

  /// Creates options.
  public init(readsOmittedAsZero: Bool = false, labelColumn: String? = nil) {
    self.readsOmittedAsZero = readsOmittedAsZero
    self.labelColumn = labelColumn
  }
}

extension LabeledData {
  /// Reads a file: CSV if its name ends with `.csv`, else the LIBSVM text format.
  ///
  /// - Parameters:
  ///   - path: The path of the file.
  ///   - options: How to read it.
  ///   - featureCount: The number of features of a LIBSVM file; nil for its largest index.
  /// - Throws: `CSVError`, `LIBSVMError` or `ProblemError`.
  public init(
    contentsOfFile path: String, options: DataFileOptions = DataFileOptions(),
    featureCount: Int? = nil
  ) throws {
    if path.lowercased().hasSuffix(".csv") {
      try self.init(CSVTable(contentsOfFile: path), labelColumn: options.labelColumn)
    } else {
      try self.init(
        LIBSVMDataset(contentsOfFile: path, featureCount: featureCount),
        dropsOmitted: !options.readsOmittedAsZero)
    }
  }

  /// The rows of a LIBSVM file.
  ///
  /// - Parameter dropsOmitted: Whether rows with an omitted feature are dropped.
  /// - Throws: `LIBSVMError.tooLargeForMatrix`, `ProblemError.noFeatures` or
  ///   `ProblemError.tooFewRows`.
  public init(_ data: LIBSVMDataset, dropsOmitted: Bool) throws {
    guard data.featureCount > 0 else { throw ProblemError.noFeatures(source: data.source) }
    let kept = dropsOmitted ? data.droppingRowsWithOmittedEntries() : data
    guard kept.rowCount > 0 else {
      throw ProblemError.tooFewRows(source: data.source, rows: 0, needed: 1)
    }
    self.init(source: data.source, features: try kept.features(), labels: Tensor(kept.labels))
  }

  /// The complete rows of a CSV table: one column of labels, all others features.
  ///
  /// - Throws: `CSVError`, `ProblemError.noFeatures`, `ProblemError.tooFewRows` or
  ///   `ProblemError.notFinite`.
  public init(_ table: CSVTable, labelColumn: String?) throws {
    let label = labelColumn ?? table.columnNames[0]
    let labels = try table.numbers(label)
    let names = table.columnNames.filter { $0 != label }
    guard !names.isEmpty else { throw ProblemError.noFeatures(source: table.source) }
    let columns = try names.map { try table.numbers($0) }
    for (name, column) in zip([label] + names, [labels] + columns)
    where column.contains(where: { $0?.isFinite == false }) {
      throw ProblemError.notFinite(source: table.source, column: name)
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
    self.init(
      source: table.source, features: Tensor(rows: rows), labels: Tensor(kept),
      featureNames: names)
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
