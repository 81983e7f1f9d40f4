/// A place in a CSV file, as an editor shows it.
public struct CSVPosition: Equatable, Sendable, CustomStringConvertible {
  /// The name of the file, or whatever the caller named the text.
  public let source: String

  /// The line, counted from 1 over the whole file, line ends inside quoted fields included.
  public let line: Int

  /// The character, counted from 1 in that line, at which the field starts.
  public let column: Int

  /// The name of the column the field belongs to, where it has one.
  public let columnName: String?

  /// Creates a position.
  public init(source: String, line: Int, column: Int, columnName: String? = nil) {
    self.source = source
    self.line = line
    self.column = column
    self.columnName = columnName
  }

  public var description: String {
    let place = "\(source), line \(line), column \(column)"
    return columnName.map { "\(place) (\(quoted($0)))" } ?? place
  }
}

/// What is wrong with a CSV file, where, and what to do about it.
public enum CSVError: Error, Equatable, Sendable {
  /// The file could not be read.
  case unreadable(source: String, reason: String)

  /// The file could not be written.
  case unwritable(source: String, reason: String)

  /// The bytes at a position are not UTF-8.
  case notUTF8(at: CSVPosition, detail: String)

  /// The file has no header line.
  case empty(source: String)

  /// The first line holds only numbers, so it is data and not a header.
  case headerMissing(at: CSVPosition, firstField: String)

  /// A column of the header has no name.
  case emptyColumnName(at: CSVPosition, index: Int)

  /// Two columns of the header have the same name.
  case duplicateColumnName(at: CSVPosition, name: String, firstIndex: Int, secondIndex: Int)

  /// A record has more or fewer fields than the header.
  case raggedRow(at: CSVPosition, expected: Int, found: Int)

  /// A quoted field never ends.
  case unterminatedQuote(at: CSVPosition)

  /// Text follows the quote that closes a field.
  case textAfterQuote(at: CSVPosition, found: String)

  /// A quote stands inside a field that does not start with one.
  case strayQuote(at: CSVPosition, found: String)

  /// A column was asked for that the table does not have.
  case unknownColumn(source: String, name: String, nearest: [String], available: [String])

  /// A field of a column of numbers is not a number.
  case notANumber(at: CSVPosition, found: String)
}

extension CSVError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unreadable(let source, let reason):
      return "\(source): cannot be read: \(reason)"
    case .unwritable(let source, let reason):
      return "\(source): cannot be written: \(reason)"
    case .notUTF8(let position, let detail):
      return "\(position): \(detail); save the file as UTF-8"
    case .empty(let source):
      return "\(source): the file is empty; expected a header line with the names of the columns"
    case .headerMissing(let position, let firstField):
      return "\(position): the first line holds only numbers (\(quoted(firstField)), …), but "
        + "column names were expected; add a header line, or quote the names if numbers are "
        + "meant as names"
    case .emptyColumnName(let position, let index):
      return "\(position): column \(index) of the header has no name; give every column a name"
    case .duplicateColumnName(let position, let name, let first, let second):
      return "\(position): columns \(first) and \(second) of the header are both named "
        + "\(quoted(name)); rename one of them"
    case .raggedRow(let position, let expected, let found):
      return "\(position): the row has \(counted(found, "field")), but the header has \(expected); "
        + (found > expected
          ? "remove the extra fields, or quote a field that contains the delimiter"
            + (found == expected + 1
              ? ", or name the first column in the header too if it holds the names of rows" : "")
          : "add the missing fields (an empty field stands for a missing value)")
    case .unterminatedQuote(let position):
      return "\(position): the quoted field that starts here never ends; add the closing quote"
    case .textAfterQuote(let position, let found):
      return "\(position): \(quoted(found)) follows the closing quote of a field, but a delimiter "
        + "or the end of the line was expected; write a quote inside a quoted field as \"\""
    case .strayQuote(let position, let found):
      return "\(position): the field \(quoted(found)) contains a quote but does not start with "
        + "one; put the field in quotes and write the quote inside it as \"\""
    case .unknownColumn(let source, let name, let nearest, let available):
      return Self.describeUnknownColumn(source, name, nearest, available)
    case .notANumber(let position, let found):
      return "\(position): found \(quoted(found)), but a number was expected; "
        + (found.contains(",")
          ? "write it with a decimal point and without separators"
          : "correct the field, or leave it empty if the value is missing")
    }
  }

  private static func describeUnknownColumn(
    _ source: String, _ name: String, _ nearest: [String], _ available: [String]
  ) -> String {
    var text = "\(source): there is no column \(quoted(name))"
    if !nearest.isEmpty {
      text += "; did you mean \(nearest.map(quoted).joined(separator: " or "))?"
    }
    let limit = 100
    text += "\nThe columns are: " + available.prefix(limit).joined(separator: ", ")
    if available.count > limit { text += ", … and \(available.count - limit) more" }
    if available.count == 1, available[0].contains(where: { ",;\t|".contains($0) }) {
      text +=
        "\nThat one name holds delimiters: the line is quoted as a whole, or another delimiter "
        + "was stated."
    }
    return text
  }
}

/// The text in quotes, on one line, without control characters, and cut when long: what a message
/// may safely show of a file.
func quoted(_ text: String) -> String {
  let limit = 40
  let shown = text.count > limit ? text.prefix(limit - 1) + "…" : text[...]
  return String(shown).debugDescription
}

func counted(_ count: Int, _ noun: String) -> String {
  "\(count) \(noun)\(count == 1 ? "" : "s")"
}
