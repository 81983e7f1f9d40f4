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
///
/// Files are read as R, pandas and spreadsheet programs write them. Semicolons, tabs or `|` separate
/// the fields where the header says so (`CSVFormat`). A first column without a name holds the names
/// of the rows, and is none of `columnNames`; so do the first fields of rows that have one more, in
/// quotes, than the header. A file that gzip compressed is decompressed.
public struct CSVTable: Sendable {
  /// The name of the file, used in messages.
  public let source: String

  /// The names of the columns, in the order of the file.
  public var columnNames: [String] { header.names }

  /// The names of the rows, where the file has them.
  public var rowNames: [String]? {
    header.hasRowNames ? (0..<rowCount).map { content(of: field($0, at: 0), in: bytes) } : nil
  }

  /// The number of rows, the header not counted.
  public let rowCount: Int

  private let bytes: [UInt8]
  private let fields: [CSVField]
  private let header: CSVHeader
  /// Fields of the header, and of each row.
  private let headerCount: Int
  private let stride: Int
  private let missingTokens: [[UInt8]]
  private let takesNaNAsMissing: Bool
  private let decimalMark: UInt8

  /// Reads a file.
  ///
  /// - Parameters:
  ///   - path: The path of the file.
  ///   - format: The delimiter and the tokens for missing values.
  /// - Throws: A `FileError` if the file cannot be read or is malformed.
  /// - Complexity: O(*n*) in the size of the file, all of which is kept in memory.
  public init(contentsOfFile path: String, format: CSVFormat = .standard) throws(FileError) {
    try self.init(parsing: TextFile.bytes(of: path), source: path, format: format)
  }

  /// Reads the file at a URL.
  ///
  /// - Throws: A `FileError` if the file cannot be read or is malformed.
  public init(contentsOf url: URL, format: CSVFormat = .standard) throws(FileError) {
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
  ) throws(FileError) {
    try self.init(parsing: [UInt8](text.utf8), source: source, format: format)
  }

  /// Reads a table from the bytes of a CSV file.
  public init(
    parsing bytes: [UInt8], source: String, format: CSVFormat = .standard
  ) throws(FileError) {
    var parser = CSVParser(bytes: bytes, source: source, format: format)
    try parser.parse()
    self.source = source
    self.bytes = bytes
    header = try CSVHeader(from: parser)
    fields = parser.fields
    (headerCount, stride) = (parser.headerCount, parser.columnCount)
    rowCount = (parser.fields.count - headerCount) / stride
    missingTokens = format.missingTokens.map { [UInt8]($0.utf8) }
    takesNaNAsMissing = format.missingTokens.contains { $0.lowercased() == "nan" }
    decimalMark = Self.decimalMark(of: parser, format)
  }

  /// The decimal mark: as stated, else a comma in a file with semicolons that has numbers with commas
  /// and none with points.
  ///
  /// In a file with both the commas may separate thousands.
  private static func decimalMark(of parser: CSVParser, _ format: CSVFormat) -> UInt8 {
    let (point, comma) = (UInt8(ascii: "."), UInt8(ascii: ","))
    if let stated = format.hasDecimalCommas { return stated ? comma : point }
    guard parser.delimiter == UInt8(ascii: ";") else { return point }
    func hasNumbers(with mark: UInt8) -> Bool {
      parser.fields[parser.headerCount...].contains { field in
        parser.bytes[field.range].contains(mark)
          && parseNumber(parser.bytes, field.range, decimalMark: mark) != nil
      }
    }
    return hasNumbers(with: comma) && !hasNumbers(with: point) ? comma : point
  }

  /// Returns a column of numbers, nil where the value is missing.
  ///
  /// - Throws: A `FileError` of the kind `unknownName`, or one of the kind `invalidValue` for the first field that is
  ///   neither a number nor missing. A number can be infinite, where the file says so.
  /// - Complexity: O(*rows*).
  public func numbers(_ name: String) throws(FileError) -> [Double?] {
    let column = try index(of: name)
    var values: [Double?] = []
    values.reserveCapacity(rowCount)
    for row in 0..<rowCount {
      let field = field(row, column)
      if field.length == 0 || isMissingToken(field) {
        values.append(nil)
      } else if let value = parseNumber(bytes, field.range, decimalMark: decimalMark) {
        values.append(value.isNaN && takesNaNAsMissing ? nil : value)
      } else if trimmingBlanks(bytes, field.range).isEmpty {
        values.append(nil)
      } else {
        let found = content(of: field, in: bytes)
        throw FileError(
          .invalidValue, at: position(row: row, column: column),
          "found \(quoted(found)), but a number was expected; "
            + (found.contains(",")
              ? "write it with a decimal point and without separators"
              : "correct the field, or leave it empty if the value is missing"))
      }
    }
    return values
  }

  /// Returns a column of text, nil where the value is missing.
  ///
  /// An empty field or an unquoted token for missing values is missing; `""` is the empty text.
  ///
  /// - Throws: A `FileError` of the kind `unknownName`.
  /// - Complexity: O(*rows*).
  public func strings(_ name: String) throws(FileError) -> [String?] {
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
  public func position(row: Int, column name: String) throws(FileError) -> TextPosition {
    let column = try index(of: name)
    guard row >= 0, row < rowCount else {
      fatalError("CSVTable.position: row \(row) of a table of \(counted(rowCount, "row"))")
    }
    return position(row: row, column: column)
  }

  /// Returns a field as the file has it, for a message about it.
  ///
  /// - Precondition: `row` is less than `rowCount`.
  /// - Throws: A `FileError` of the kind `unknownName`.
  public func text(row: Int, column name: String) throws(FileError) -> String {
    let column = try index(of: name)
    guard row >= 0, row < rowCount else {
      fatalError("CSVTable.text: row \(row) of a table of \(counted(rowCount, "row"))")
    }
    return content(of: field(row, column), in: bytes)
  }

  private func position(row: Int, column: Int) -> TextPosition {
    let field = field(row, column)
    return positionInText(
      of: field.start - (field.isQuoted ? 1 : 0), in: bytes, source: source,
      columnName: columnNames[column])
  }

  private func index(of name: String) throws(FileError) -> Int {
    guard let index = header.index(of: name) else {
      let hint =
        columnNames.count == 1 && columnNames[0].contains { ",;\t|".contains($0) }
        ? "\nThat one name holds delimiters: the line is quoted as a whole, or another delimiter was stated."
        : ""
      let error = FileError.unknown("column", name, in: columnNames, of: source) { $0 }
      throw FileError(.unknownName, source, error.detail + hint)
    }
    return index
  }

  private func field(_ row: Int, _ column: Int) -> CSVField {
    field(row, at: header.places[column])
  }

  private func field(_ row: Int, at place: Int) -> CSVField {
    fields[headerCount + row * stride + place]
  }

  private func isMissingToken(_ field: CSVField) -> Bool {
    let range = field.isQuoted ? field.range : trimmingBlanks(bytes, field.range)
    return missingTokens.contains { token in
      token.count == range.count && bytes[range].elementsEqual(token)
    }
  }
}
