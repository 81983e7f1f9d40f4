// The names of the columns: read from the first record, checked, and searched.

struct CSVHeader {
  /// The names of the columns, which are there, not empty and all different.
  private(set) var names: [String] = []
  /// Where in a record the field of each column stands.
  private(set) var places: [Int] = []
  /// Whether the first field of a record is the name of the row.
  private(set) var hasRowNames: Bool
  private var indices: [ExactName: Int] = [:]

  /// The index of a column; nil if there is none of this name.
  func index(of name: String) -> Int? { indices[ExactName(name)] }

  /// The name a header field gives its column: blanks around an unquoted name are not part of it.
  static func name(of field: CSVField, in bytes: [UInt8]) -> String {
    field.isQuoted
      ? content(of: field, in: bytes) : decode(trimmingBlanks(bytes, field.range), bytes)
  }

  /// Reads the first record.
  ///
  /// A first column without a name holds the names of the rows, as R and pandas write them. Another
  /// one without a name is left out if it has no content, as spreadsheet programs write them.
  init(from parser: CSVParser) throws(FileError) {
    let header = parser.fields.prefix(parser.headerCount)
    let all = header.map { Self.name(of: $0, in: parser.bytes) }
    // An empty header field beside numbers is data too: the table starts without a header.
    let looksLikeData = header.allSatisfy {
      !$0.isQuoted && ($0.length == 0 || parseNumber(parser.bytes, $0.range) != nil)
    }
    if looksLikeData, let first = all.first(where: { !$0.isEmpty }) {
      throw FileError(
        .malformed, at: Self.place(header[0], parser),
        "the first line holds only numbers (\(quoted(first)), …), but column names were expected; "
          + "add a header line, or quote the names if numbers are meant as names")
    }
    let shift = parser.columnCount - parser.headerCount
    hasRowNames = shift > 0
    for (index, name) in all.enumerated() {
      if name.isEmpty {
        if index == 0, shift == 0, all.count > 1, !all[1].isEmpty {
          hasRowNames = true
        } else if index == 0 || !Self.isEmpty(index + shift, parser) {
          throw FileError(
            .malformed, at: Self.place(header[index], parser),
            "column \(index + 1) of the header has no name; give every column a name")
        }
        continue
      }
      if let first = indices[ExactName(name)] {
        throw FileError(
          .malformed, at: Self.place(header[index], parser),
          "columns \(places[first] - shift + 1) and \(index + 1) of the header are both named "
            + "\(quoted(name)); rename one of them")
      }
      indices[ExactName(name)] = names.count
      names.append(name)
      places.append(index + shift)
    }
  }

  /// Whether no record has anything at a place.
  private static func isEmpty(_ place: Int, _ parser: CSVParser) -> Bool {
    stride(from: parser.headerCount + place, to: parser.fields.count, by: parser.columnCount)
      .allSatisfy { trimmingBlanks(parser.bytes, parser.fields[$0].range).isEmpty }
  }

  private static func place(_ field: CSVField, _ parser: CSVParser) -> TextPosition {
    parser.place(field.start - (field.isQuoted ? 1 : 0))
  }
}

/// The text of a field, with doubled quotes undone.
func content(of field: CSVField, in bytes: [UInt8]) -> String {
  guard field.hasEscapes else { return decode(field.range, bytes) }
  var plain: [UInt8] = []
  var index = field.range.lowerBound
  while index < field.range.upperBound {
    plain.append(bytes[index])
    index += bytes[index] == quote ? 2 : 1
  }
  return String(decoding: plain, as: UTF8.self)
}

func decode(_ range: Range<Int>, _ bytes: [UInt8]) -> String {
  String(decoding: bytes[range], as: UTF8.self)
}

/// The part of a range without spaces and tabs around it.
func trimmingBlanks(_ bytes: [UInt8], _ range: Range<Int>) -> Range<Int> {
  func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
  var (start, end) = (range.lowerBound, range.upperBound)
  while start < end, isBlank(bytes[start]) { start += 1 }
  while start < end, isBlank(bytes[end - 1]) { end -= 1 }
  return start..<end
}
