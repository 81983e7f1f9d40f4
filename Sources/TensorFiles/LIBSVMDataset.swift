import Autodiff

/// Labelled rows read from a file in the text format of LIBSVM.
///
/// A line is a label and entries `index:value`, blanks between them; indices start at 1 and increase
/// along the line, and a feature that is left out is zero:
///
///     1 1:0.5 3:-2      # label 1, features (0.5, 0, -2)
///
/// Text from `#` to the end of the line is a comment, blank lines are skipped, and lines end with
/// LF, CRLF or CR. Labels are real numbers, for classes as for regression. Entries are kept as the
/// file has them; `features()` fills in the zeros.
///
///     let data = try LIBSVMDataset(contentsOfFile: "mpg_scale")
///     let complete = data.droppingRowsWithOmittedEntries()
///     let x = try complete.features()  // float64 [rows, features]
public struct LIBSVMDataset: Sendable {
  /// The name of the file, used in messages.
  public let source: String

  /// One label to a row.
  public let labels: [Double]

  /// The number of features: as stated when reading, or the largest index of the file.
  public let featureCount: Int

  /// The number of rows.
  public var rowCount: Int { labels.count }

  /// The entries of row r are those from `rowStarts[r]` up to `rowStarts[r + 1]`.
  private let rowStarts: [Int]
  private let columns: [Int32]
  private let values: [Double]

  /// Reads a file.
  ///
  /// - Parameters:
  ///   - path: The path of the file.
  ///   - featureCount: The number of features, for a part of a data set whose largest index may be
  ///     absent; nil for the largest index of the file.
  /// - Throws: A `LIBSVMError` if the file cannot be read or is malformed.
  /// - Complexity: O(*n*) in the size of the file.
  public init(contentsOfFile path: String, featureCount: Int? = nil) throws(LIBSVMError) {
    let bytes = try mapError({ (failure: FileFailure) in
      LIBSVMError.unreadable(source: path, reason: failure.reason)
    }) { () throws(FileFailure) in try TextFile.bytes(of: path) }
    try self.init(parsing: bytes, source: path, featureCount: featureCount)
  }

  /// Reads rows from text.
  ///
  /// - Throws: A `LIBSVMError` if the text is malformed.
  public init(
    parsing text: String, source: String = "text", featureCount: Int? = nil
  ) throws(LIBSVMError) {
    try self.init(parsing: [UInt8](text.utf8), source: source, featureCount: featureCount)
  }

  /// Reads rows from the bytes of a file.
  ///
  /// - Throws: A `LIBSVMError` if the bytes are malformed.
  public init(
    parsing bytes: [UInt8], source: String, featureCount: Int? = nil
  ) throws(LIBSVMError) {
    var parser = LIBSVMParser(bytes: bytes, source: source, featureCount: featureCount)
    try parser.parse()
    self.init(
      source: source, labels: parser.labels, featureCount: featureCount ?? parser.largestIndex,
      rowStarts: parser.rowStarts, columns: parser.columns, values: parser.values)
  }

  private init(
    source: String, labels: [Double], featureCount: Int, rowStarts: [Int], columns: [Int32],
    values: [Double]
  ) {
    self.source = source
    self.labels = labels
    self.featureCount = featureCount
    self.rowStarts = rowStarts
    self.columns = columns
    self.values = values
  }

  /// The features as a `float64` matrix [rows, features], zero where an entry is omitted.
  ///
  /// - Throws: `LIBSVMError.tooLargeForMatrix` for more than 64 MiB that are also more than a
  ///   thousand times the entries of the file, or half the free memory: one absurd index must not take
  ///   all of it.
  public func features() throws(LIBSVMError) -> Tensor {
    let (count, overflows) = rowCount.multipliedReportingOverflow(by: featureCount)
    let isOutOfProportion = count > 1 << 23 && count / 1000 > values.count + rowCount
    let limit = (AvailableMemory.byteCount ?? .max) / 2 / MemoryLayout<Double>.stride
    if overflows || isOutOfProportion || count > max(1 << 23, limit) {
      throw .tooLargeForMatrix(source: source, rows: rowCount, features: featureCount)
    }
    var elements = [Double](repeating: 0, count: count)
    for row in 0..<rowCount {
      for entry in rowStarts[row]..<rowStarts[row + 1] {
        elements[row * featureCount + Int(columns[entry])] = values[entry]
      }
    }
    return Tensor(elements, shape: [rowCount, featureCount])
  }

  /// Whether the file leaves out a feature of this row; a zero that is written is not left out.
  ///
  /// - Precondition: `row` is less than `rowCount`.
  public func hasOmittedEntry(row: Int) -> Bool {
    rowStarts[row + 1] - rowStarts[row] < featureCount
  }

  /// The rows of which every feature is written, in the order of the file.
  ///
  /// Some data sets mark a missing value by leaving it out, which then must not be read as zero.
  public func droppingRowsWithOmittedEntries() -> LIBSVMDataset {
    let rows = (0..<rowCount).filter { !hasOmittedEntry(row: $0) }
    let entries = rows.map { rowStarts[$0]..<rowStarts[$0 + 1] }
    return LIBSVMDataset(
      source: source, labels: rows.map { labels[$0] }, featureCount: featureCount,
      rowStarts: (0...rows.count).map { $0 * featureCount },
      columns: entries.flatMap { columns[$0] }, values: entries.flatMap { values[$0] })
  }
}
