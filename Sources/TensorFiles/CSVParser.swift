// Splits the bytes of a CSV file (RFC 4180) into fields. It works on bytes because every character
// with a meaning is ASCII, and in UTF-8 no other character contains an ASCII byte.

/// Where one field lies in the bytes of the file.
struct CSVField {
  /// The first byte of the content, behind the opening quote if there is one.
  var start: Int
  /// The number of bytes of the content.
  var length: UInt32
  var isQuoted: Bool
  /// Whether the content holds quotes written as two.
  var hasEscapes: Bool

  var range: Range<Int> { start..<(start + Int(length)) }
}

struct CSVParser {
  let bytes: [UInt8]
  let source: String
  let delimiter: UInt8

  /// The fields of all records in order; every record has as many as the first, the header.
  private(set) var fields: [CSVField] = []
  private(set) var columnCount = 0
  private var position = 0

  init(bytes: [UInt8], source: String, format: CSVFormat) {
    self.bytes = bytes
    self.source = source
    self.delimiter = format.delimiterByte
  }

  mutating func parse() throws(CSVError) {
    try checkEncoding()
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    // One field per five bytes is typical of a table of numbers.
    fields.reserveCapacity(bytes.count / 5)
    while position < bytes.count {
      if isLineEnd(bytes[position]) {
        // A blank line is no record, except in a table of one column, where skipping it would
        // drop a missing value.
        if columnCount == 1 {
          fields.append(CSVField(start: position, length: 0, isQuoted: false, hasEscapes: false))
        }
        skipLineEnd()
      } else {
        try parseRecord()
      }
    }
    if columnCount == 0 { throw .empty(source: source) }
  }

  private mutating func parseRecord() throws(CSVError) {
    let first = fields.count
    let start = position
    var extraField: Int?
    while true {
      let fieldStart = position
      try parseField()
      if columnCount > 0, fields.count - first == columnCount + 1 { extraField = fieldStart }
      guard position < bytes.count, bytes[position] == delimiter else { break }
      position += 1
    }
    let count = fields.count - first
    if columnCount == 0 {
      columnCount = count
    } else if count != columnCount {
      throw .raggedRow(at: place(extraField ?? start), expected: columnCount, found: count)
    }
    skipLineEnd()
  }

  private mutating func parseField() throws(CSVError) {
    if position < bytes.count, bytes[position] == quote { return try parseQuotedField() }
    let start = position
    while position < bytes.count {
      let byte = bytes[position]
      if byte == delimiter || isLineEnd(byte) { break }
      if byte == quote {
        let end = endOfPlainText(from: position)
        throw .strayQuote(at: place(start, field: fields.count), found: text(start..<end))
      }
      position += 1
    }
    try append(start..<position, isQuoted: false, hasEscapes: false)
  }

  private mutating func parseQuotedField() throws(CSVError) {
    let opening = position
    var hasEscapes = false
    position += 1
    while true {
      while position < bytes.count, bytes[position] != quote { position += 1 }
      if position == bytes.count {
        throw .unterminatedQuote(at: place(opening, field: fields.count))
      }
      guard position + 1 < bytes.count, bytes[position + 1] == quote else { break }
      hasEscapes = true
      position += 2
    }
    try append((opening + 1)..<position, isQuoted: true, hasEscapes: hasEscapes)
    position += 1
    if position < bytes.count, bytes[position] != delimiter, !isLineEnd(bytes[position]) {
      let found = text(position..<endOfPlainText(from: position))
      throw .textAfterQuote(at: place(opening, field: fields.count - 1), found: found)
    }
  }

  private mutating func append(
    _ range: Range<Int>, isQuoted: Bool, hasEscapes: Bool
  ) throws(CSVError) {
    guard let length = UInt32(exactly: range.count) else {
      throw .unreadable(source: source, reason: "a field is longer than 4 GiB")
    }
    fields.append(
      CSVField(
        start: range.lowerBound, length: length, isQuoted: isQuoted, hasEscapes: hasEscapes))
  }

  private mutating func skipLineEnd() {
    guard position < bytes.count, isLineEnd(bytes[position]) else { return }
    let isPair =
      bytes[position] == carriageReturn && position + 1 < bytes.count
      && bytes[position + 1] == lineFeed
    position += isPair ? 2 : 1
  }

  private func endOfPlainText(from start: Int) -> Int {
    bytes[start...].firstIndex { $0 == delimiter || isLineEnd($0) } ?? bytes.count
  }

  private func checkEncoding() throws(CSVError) {
    if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
      let detail = "the file is UTF-16 (a text file \"in Unicode\" of a spreadsheet program)"
      throw .notUTF8(
        at: CSVPosition(source: source, line: 1, column: 1), detail: detail)
    }
    guard let index = firstInvalidUTF8(bytes) else { return }
    let value = "0x" + String(bytes[index], radix: 16, uppercase: true)
    throw .notUTF8(at: place(index), detail: "the byte \(value) is not UTF-8")
  }

  /// The position of a byte, as line and character; `field` is the index of its field in the file.
  func place(_ offset: Int, field: Int? = nil) -> CSVPosition {
    var name: String?
    if let field, columnCount > 0 {
      let index = field % columnCount
      name = CSVHeader.name(of: fields[index], in: bytes)
    }
    return positionInText(of: offset, in: bytes, source: source, columnName: name)
  }

  private func text(_ range: Range<Int>) -> String {
    String(decoding: bytes[range], as: UTF8.self)
  }
}

let quote = UInt8(ascii: "\"")
let lineFeed = UInt8(ascii: "\n")
let carriageReturn = UInt8(ascii: "\r")

func isLineEnd(_ byte: UInt8) -> Bool { byte == lineFeed || byte == carriageReturn }

/// The line and character of a byte, counted only when a message needs them: a line ends with LF,
/// CRLF or CR.
func positionInText(
  of offset: Int, in bytes: [UInt8], source: String, columnName: String?
) -> CSVPosition {
  var line = 1
  var lineStart = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
  var index = 0
  while index < offset {
    let endsLine =
      bytes[index] == lineFeed
      || (bytes[index] == carriageReturn
        && !(index + 1 < bytes.count && bytes[index + 1] == lineFeed))
    index += 1
    if endsLine {
      line += 1
      lineStart = index
    }
  }
  let before = bytes[min(lineStart, offset)..<offset]
  let column = String(decoding: before, as: UTF8.self).count + 1
  return CSVPosition(source: source, line: line, column: column, columnName: columnName)
}

/// The index of the first byte that is not part of well-formed UTF-8.
func firstInvalidUTF8(_ bytes: [UInt8]) -> Int? {
  guard let firstHigh = bytes.firstIndex(where: { $0 >= 0x80 }) else { return nil }
  if String(validating: bytes[firstHigh...], as: UTF8.self) != nil { return nil }
  var iterator = bytes[firstHigh...].makeIterator()
  var decoder = UTF8()
  var index = firstHigh
  while case .scalarValue(let scalar) = decoder.decode(&iterator) {
    index += UTF8.width(scalar)
  }
  return index
}
