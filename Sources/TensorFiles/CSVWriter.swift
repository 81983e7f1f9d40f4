/// A value of a CSV file to be written.
public enum CSVValue: Sendable, Equatable {
  /// A number, written with as many digits as it takes to read the same number back; one that is
  /// NaN is read back as missing.
  case number(Double)

  /// A text, quoted where it has to be.
  case text(String)

  /// A missing value, written as an empty field.
  case missing
}

extension CSVValue: ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral {
  /// A number.
  public init(floatLiteral value: Double) { self = .number(value) }
  /// A whole number.
  public init(integerLiteral value: Int) { self = .number(Double(value)) }
}

extension CSVValue: ExpressibleByStringLiteral {
  /// A text.
  public init(stringLiteral value: String) { self = .text(value) }
}

extension CSVValue: ExpressibleByNilLiteral {
  /// A missing value.
  public init(nilLiteral: ()) { self = .missing }
}

/// Writes a CSV file (RFC 4180) that `CSVTable` reads back to the same values.
///
///     var writer = CSVWriter(columnNames: ["term", "estimate"])
///     writer.append(["educ", 0.1315])
///     try writer.write(toFile: "coefficients.csv")
///
/// Lines end with LF, as tools on every system expect today.
public struct CSVWriter: Sendable {
  /// The names of the columns.
  public let columnNames: [String]

  /// The content of the file so far.
  public private(set) var text: String

  private let format: CSVFormat

  /// Creates a table without rows.
  ///
  /// - Precondition: There is at least one name, no name is empty and no two are the same.
  public init(columnNames: [String], format: CSVFormat = .standard) {
    guard !columnNames.isEmpty, !columnNames.contains(""),
      Set(columnNames.map(ExactName.init)).count == columnNames.count
    else {
      fatalError("CSVWriter: column names must be there, not empty and different: \(columnNames)")
    }
    self.columnNames = columnNames
    self.format = format
    text = ""
    text = line(columnNames.map { .text($0) })
  }

  /// Appends a row.
  ///
  /// - Precondition: There is one value for each column.
  public mutating func append(_ row: [CSVValue]) {
    guard row.count == columnNames.count else {
      fatalError(
        "CSVWriter.append: a row of \(counted(row.count, "value")) for a table of "
          + "\(counted(columnNames.count, "column")) \(columnNames)")
    }
    text += line(row)
  }

  /// Writes the file in one piece: a reader sees the old file or the new one, never a part.
  ///
  /// - Throws: A `FileError` of the kind `unwritable`.
  public func write(toFile path: String) throws(FileError) {
    try AtomicFile.write([Array(text.utf8)], to: path)
  }

  private func line(_ row: [CSVValue]) -> String {
    row.map(field).joined(separator: String(format.writtenDelimiter)) + "\n"
  }

  private func field(_ value: CSVValue) -> String {
    switch value {
    case .missing: ""
    case .number(let number): field(number)
    case .text(let text): needsQuotes(text) ? quoting(text) : text
    }
  }

  private func field(_ number: Double) -> String {
    // Whole numbers without ".0", as every other tool writes them; -0 keeps its sign.
    if number == number.rounded(), abs(number) < 1e15, !(number == 0 && number.sign == .minus) {
      return String(Int64(number))
    }
    let text = number.description
    return format.hasDecimalCommas == true ? text.replacing(".", with: ",") : text
  }

  private func needsQuotes(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    let isSpecial =
      // What could be taken for a delimiter too.
      bytes.contains {
        $0 == quote || isLineEnd($0) || UInt32($0) == format.writtenDelimiter.value
          || CSVFormat.delimiters.contains($0)
      }
      || bytes.starts(with: [0xEF, 0xBB, 0xBF])
    // Text that would otherwise be read as something else: as missing, as a number, or trimmed.
    return isSpecial || text.isEmpty || format.missingTokens.contains(text)
      || parseNumber(bytes, bytes.indices) != nil
      || trimmingBlanks(bytes, bytes.indices) != bytes.indices
  }

  private func quoting(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      if scalar == "\"" { result.unicodeScalars.append(scalar) }
      result.unicodeScalars.append(scalar)
    }
    return result + "\""
  }
}
