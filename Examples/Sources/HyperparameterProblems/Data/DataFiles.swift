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
    self.dropsOmitted = dropsOmitted
    self.labelColumn = labelColumn
    self.allowsTextLabels = allowsTextLabels
    self.format = format
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
  /// - Throws: `CSVError`, `LIBSVMError` or `ProblemError`.
  public init(
    contentsOfFile path: String, options: DataFileOptions = DataFileOptions(),
    matching training: LabeledData? = nil
  ) throws {
    if TextFile.isStream(path) {
      let bytes: [UInt8]
      do throws(FileFailure) { bytes = try TextFile.bytes(of: path) } catch {
        throw CSVError.unreadable(source: path, reason: error.reason)
      }
      if DataFileOptions.isTable(bytes) {
        try self.init(
          CSVTable(parsing: bytes, source: path, format: options.format),
          labelColumn: options.labelColumn, matching: training,
          allowsTextLabels: options.allowsTextLabels)
      } else {
        try self.init(
          Self.rows(matching: training) { () throws(LIBSVMError) in
            try LIBSVMDataset(parsing: bytes, source: path, featureCount: training?.featureCount)
          }, dropsOmitted: options.dropsOmitted)
      }
    } else if DataFileOptions.isTable(path) {
      try self.init(
        CSVTable(contentsOfFile: path, format: options.format), labelColumn: options.labelColumn,
        matching: training, allowsTextLabels: options.allowsTextLabels)
    } else {
      // The last features may all be zero in the validation rows.
      try self.init(
        Self.rows(matching: training) { () throws(LIBSVMError) in
          try LIBSVMDataset(contentsOfFile: path, featureCount: training?.featureCount)
        }, dropsOmitted: options.dropsOmitted)
    }
  }

  /// Reads rows for a model of the training rows, which may not have further features.
  private static func rows(
    matching training: LabeledData?, _ read: () throws(LIBSVMError) -> LIBSVMDataset
  ) throws -> LIBSVMDataset {
    do throws(LIBSVMError) { return try read() } catch {
      guard case .indexTooLarge(let position, let index, _) = error, let training else {
        throw error
      }
      throw ProblemError.differentFeatures(
        training: training.source, count: training.featureCount, validation: "\(position)",
        otherCount: index)
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
