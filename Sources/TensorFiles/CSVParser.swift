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
  private(set) var delimiter: UInt8

  /// The fields of all records in order.
  private(set) var fields: [CSVField] = []
  /// The number of fields of the first record.
  private(set) var headerCount = 0
  /// The number of fields of each of the others: that of the header, or one more where they start
  /// with the name of the row.
  private(set) var columnCount = 0
  private let statedDelimiter: UInt8?
  private var position = 0

  init(bytes: [UInt8], source: String, format: CSVFormat) {
    self.bytes = bytes
    self.source = source
    statedDelimiter = format.delimiter.map { UInt8(truncatingIfNeeded: $0.value) }
    delimiter = statedDelimiter ?? UInt8(ascii: ",")
  }

  /// Whether each row starts with a name that the header does not count, as R writes it.
  var hasUncountedRowNames: Bool { columnCount > headerCount }

  mutating func parse() throws(FileError) {
    try checkEncoding()
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    if statedDelimiter == nil { delimiter = foundDelimiter() }
    try reserve()
    while position < bytes.count {
      if isLineEnd(bytes[position]) {
        // A blank line is no record, except in a table of one column, where skipping it would
        // drop a missing value.
        if headerCount == 1, columnCount == 1 {
          fields.append(CSVField(start: position, length: 0, isQuoted: false, hasEscapes: false))
        }
        skipLineEnd()
      } else {
        try parseRecord()
      }
    }
    if columnCount == 0 {
      throw FileError(
        .malformed, source,
        "the file is empty; expected a header line with the names of the columns")
    }
  }

  private mutating func parseRecord() throws(FileError) {
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
      (headerCount, columnCount) = (count, count)
    } else if first == headerCount, count == headerCount + 1, startsWithRowName(fields[first...]) {
      columnCount = count
    } else if count != columnCount {
      throw ragged(at: extraField ?? start, expected: columnCount, found: count)
    } else if hasUncountedRowNames, !startsWithRowName(fields[first...]) {
      throw ragged(at: extraField ?? start, expected: headerCount, found: count)
    }
    skipLineEnd()
  }

  private func ragged(at offset: Int, expected: Int, found: Int) -> FileError {
    FileError(
      .malformed, at: place(offset),
      "the row has \(counted(found, "field")), but the header has \(expected); "
        + (found > expected
          ? "remove the extra fields, or quote a field that contains the delimiter"
            + (found == expected + 1
              ? ", or name the first column in the header too if it holds the names of rows" : "")
          : "add the missing fields (an empty field stands for a missing value)"))
  }

  /// Whether a record that has a field too many is one of R's, which starts with a name in quotes.
  ///
  /// A delimiter too many at the end is something else.
  private func startsWithRowName(_ record: ArraySlice<CSVField>) -> Bool {
    guard let first = record.first, let last = record.last else { return false }
    return first.isQuoted && (last.length > 0 || last.isQuoted)
  }

  /// Takes memory for the fields, at least as many as there are delimiters and lines.
  private mutating func reserve() throws(FileError) {
    var count = 1
    for byte in bytes where byte == delimiter || byte == lineFeed || byte == carriageReturn {
      count += 1
    }
    try requireMemory(
      count * MemoryLayout<CSVField>.stride, for: " for its \(count) fields", of: source)
    fields.reserveCapacity(count)
  }

  /// The delimiter of the header: the first that it has outside of quotes, as often as the next line
  /// has; else the first that it has.
  private func foundDelimiter() -> UInt8 {
    var start = position
    while start < bytes.count, isLineEnd(bytes[start]) { start += 1 }
    let header = counts(from: &start)
    while start < bytes.count, isLineEnd(bytes[start]) { start += 1 }
    let next = counts(from: &start)
    let present = CSVFormat.delimiters.indices.filter { header[$0] > 0 }
    let index = present.first { header[$0] == next[$0] } ?? present.first ?? 0
    return CSVFormat.delimiters[index]
  }

  /// How often a line has each of the possible delimiters outside of quotes; moves to its end.
  private func counts(from start: inout Int) -> [Int] {
    var counts = CSVFormat.delimiters.map { _ in 0 }
    var isQuoted = false
    while start < bytes.count, isQuoted || !isLineEnd(bytes[start]) {
      if bytes[start] == quote { isQuoted.toggle() }
      if !isQuoted, let index = CSVFormat.delimiters.firstIndex(of: bytes[start]) {
        counts[index] += 1
      }
      start += 1
    }
    return counts
  }

  private mutating func parseField() throws(FileError) {
    if position < bytes.count, bytes[position] == quote { return try parseQuotedField() }
    let start = position
    while position < bytes.count {
      let byte = bytes[position]
      if byte == delimiter || isLineEnd(byte) { break }
      if byte == quote {
        let end = endOfPlainText(from: position)
        throw FileError(
          .malformed, at: place(start, field: fields.count),
          "the field \(quoted(decode(start..<end, bytes))) contains a quote but does not start with "
            + "one; put the field in quotes and write the quote inside it as \"\"")
      }
      position += 1
    }
    try append(start..<position, isQuoted: false, hasEscapes: false)
  }

  private mutating func parseQuotedField() throws(FileError) {
    let opening = position
    var hasEscapes = false
    position += 1
    while true {
      while position < bytes.count, bytes[position] != quote { position += 1 }
      if position == bytes.count {
        throw FileError(
          .malformed, at: place(opening, field: fields.count),
          "the quoted field that starts here never ends; add the closing quote")
      }
      guard position + 1 < bytes.count, bytes[position + 1] == quote else { break }
      hasEscapes = true
      position += 2
    }
    try append((opening + 1)..<position, isQuoted: true, hasEscapes: hasEscapes)
    position += 1
    if position < bytes.count, bytes[position] != delimiter, !isLineEnd(bytes[position]) {
      let found = decode(position..<endOfPlainText(from: position), bytes)
      throw FileError(
        .malformed, at: place(opening, field: fields.count - 1),
        "\(quoted(found)) follows the closing quote of a field, but a delimiter or the end of the "
          + "line was expected; write a quote inside a quoted field as \"\"")
    }
  }

  private mutating func append(
    _ range: Range<Int>, isQuoted: Bool, hasEscapes: Bool
  ) throws(FileError) {
    guard let length = UInt32(exactly: range.count) else {
      throw FileError(.unreadable, source, "a field is longer than 4 GiB")
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

  private func checkEncoding() throws(FileError) {
    // Without a mark at its start, a letter of ASCII beside a zero tells UTF-16.
    let isPair = bytes.count >= 2 && (bytes[0] == 0) != (bytes[1] == 0)
    if isPair || bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
      throw FileError(
        .malformed, at: TextPosition(source: source, line: 1, column: 1),
        "the file is UTF-16 (a text file \"in Unicode\" of a spreadsheet program); save the file as "
          + "UTF-8")
    }
    // A zero byte is valid UTF-8, and no text.
    guard let index = firstInvalidUTF8(bytes) ?? bytes.firstIndex(of: 0) else { return }
    let digits = String(bytes[index], radix: 16, uppercase: true)
    let value = "0x" + (digits.count == 1 ? "0" : "") + digits
    throw FileError(
      .malformed, at: place(index), "the byte \(value) is not UTF-8; save the file as UTF-8")
  }

  /// The position of a byte, as line and character; `field` is the index of its field in the file.
  func place(_ offset: Int, field: Int? = nil) -> TextPosition {
    var name: String?
    if let field, columnCount > 0 {
      let index =
        field < headerCount
        ? field : (field - headerCount) % columnCount - (columnCount - headerCount)
      if index >= 0 { name = CSVHeader.name(of: fields[index], in: bytes) }
    }
    return positionInText(of: offset, in: bytes, source: source, columnName: name)
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
) -> TextPosition {
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
  return TextPosition(source: source, line: line, column: column, columnName: columnName)
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
