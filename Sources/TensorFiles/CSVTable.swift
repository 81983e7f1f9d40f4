import Foundation

/// A table read from a CSV file (RFC 4180), with named columns.
///
/// Fields are split once, when the table is read, and converted when a column is asked for:
///
///     let table = try CSVTable(contentsOfFile: "card.csv")
///     let wages = try table.numbers("lwage")  // [Double?], nil where the value is missing
///
/// The first line that is not blank names the columns. Lines end with LF, CRLF or CR; a byte order
/// mark is ignored; blank lines are skipped, except in a table of one column, where a blank line is
/// a missing value. Every error says which file, line and column it is about.
public struct CSVTable: Sendable {
  /// The name of the file, used in messages.
  public let source: String

  /// The names of the columns, in the order of the file.
  public let columnNames: [String]

  /// The number of rows, the header not counted.
  public let rowCount: Int

  private let bytes: [UInt8]
  private let fields: [CSVField]
  private let missingTokens: [[UInt8]]

  /// Reads a file.
  ///
  /// - Parameters:
  ///   - path: The path of the file.
  ///   - format: The delimiter and the tokens for missing values.
  /// - Throws: A `CSVError` if the file cannot be read or is malformed.
  /// - Complexity: O(*n*) in the size of the file, all of which is kept in memory.
  public init(contentsOfFile path: String, format: CSVFormat = .standard) throws(CSVError) {
    let bytes: [UInt8]
    do {
      bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    } catch {
      throw .unreadable(source: path, reason: reason(for: error, path: path))
    }
    try self.init(parsing: bytes, source: path, format: format)
  }

  /// Reads the file at a URL.
  ///
  /// - Throws: A `CSVError` if the file cannot be read or is malformed.
  public init(contentsOf url: URL, format: CSVFormat = .standard) throws(CSVError) {
    try self.init(contentsOfFile: url.path, format: format)
  }

  /// Reads a table from text.
  ///
  /// - Parameters:
  ///   - text: The content of a CSV file.
  ///   - source: The name for the text in messages.
  ///   - format: The delimiter and the tokens for missing values.
  public init(
    parsing text: String, source: String = "text", format: CSVFormat = .standard
  ) throws(CSVError) {
    try self.init(parsing: [UInt8](text.utf8), source: source, format: format)
  }

  /// Reads a table from the bytes of a CSV file.
  public init(
    parsing bytes: [UInt8], source: String, format: CSVFormat = .standard
  ) throws(CSVError) {
    var parser = CSVParser(bytes: bytes, source: source, format: format)
    try parser.parse()
    self.source = source
    self.bytes = bytes
    self.columnNames = try CSVHeader.names(from: parser)
    self.fields = parser.fields
    self.rowCount = parser.fields.count / parser.columnCount - 1
    self.missingTokens = format.missingTokens.map { [UInt8]($0.utf8) }
  }

  /// Returns a column of numbers, nil where the value is missing.
  ///
  /// - Throws: `CSVError.unknownColumn`, or `CSVError.notANumber` for the first field that is
  ///   neither a number nor missing.
  /// - Complexity: O(*rows*).
  public func numbers(_ name: String) throws(CSVError) -> [Double?] {
    let column = try index(of: name)
    var values: [Double?] = []
    values.reserveCapacity(rowCount)
    for row in 0..<rowCount {
      let field = field(row, column)
      if field.length == 0 || isMissingToken(field) {
        values.append(nil)
      } else if let value = parseNumber(bytes, field.range) {
        values.append(value)
      } else if trimmingBlanks(bytes, field.range).isEmpty {
        values.append(nil)
      } else {
        throw .notANumber(
          at: position(row: row, column: column), found: content(of: field, in: bytes))
      }
    }
    return values
  }

  /// Returns a column of text, nil where the value is missing.
  ///
  /// An empty field or an unquoted token for missing values is missing; `""` is the empty text.
  ///
  /// - Throws: `CSVError.unknownColumn`.
  /// - Complexity: O(*rows*).
  public func strings(_ name: String) throws(CSVError) -> [String?] {
    let column = try index(of: name)
    return (0..<rowCount).map { row in
      let field = field(row, column)
      let isMissing = !field.isQuoted && (field.length == 0 || isMissingToken(field))
      return isMissing ? nil : content(of: field, in: bytes)
    }
  }

  /// Returns where a field starts in the file, for a message about it.
  ///
  /// - Precondition: `row` is less than `rowCount`.
  /// - Complexity: O(*n*) in the size of the file.
  public func position(row: Int, column name: String) throws(CSVError) -> CSVPosition {
    let column = try index(of: name)
    guard row >= 0, row < rowCount else {
      fatalError("CSVTable.position: row \(row) of a table of \(counted(rowCount, "row"))")
    }
    return position(row: row, column: column)
  }

  private func position(row: Int, column: Int) -> CSVPosition {
    let field = field(row, column)
    return positionInText(
      of: field.start - (field.isQuoted ? 1 : 0), in: bytes, source: source,
      columnName: columnNames[column])
  }

  private func index(of name: String) throws(CSVError) -> Int {
    guard let index = columnNames.firstIndex(of: name) else {
      throw .unknownColumn(
        source: source, name: name, nearest: CSVHeader.nearest(to: name, in: columnNames),
        available: columnNames)
    }
    return index
  }

  private func field(_ row: Int, _ column: Int) -> CSVField {
    fields[(row + 1) * columnNames.count + column]
  }

  private func isMissingToken(_ field: CSVField) -> Bool {
    let range = field.isQuoted ? field.range : trimmingBlanks(bytes, field.range)
    return missingTokens.contains { token in
      token.count == range.count && bytes[range].elementsEqual(token)
    }
  }
}

/// Why a file operation failed, in a few words; Foundation's own description repeats the path.
func reason(for error: any Error, path: String) -> String {
  var isDirectory: ObjCBool = false
  if FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory.boolValue
  {
    return "it is a directory"
  }
  switch (error as? CocoaError)?.code {
  case .fileReadNoSuchFile: return "no such file"
  case .fileNoSuchFile: return "the directory it should be in does not exist"
  case .fileReadNoPermission, .fileWriteNoPermission: return "permission denied"
  case .fileWriteOutOfSpace: return "the disk is full"
  case .fileWriteVolumeReadOnly: return "the disk is read-only"
  default: return (error as NSError).localizedDescription
  }
}
