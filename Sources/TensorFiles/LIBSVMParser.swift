// Splits the bytes of a LIBSVM file into labels and entries. It works on bytes because every
// character with a meaning is ASCII, and files of this format are large.

struct LIBSVMParser {
  let bytes: [UInt8]
  let source: String
  /// The number of features the caller states; nil for the largest index.
  let statedFeatureCount: Int?

  private(set) var labels: [Double] = []
  /// The entries of row r are those from `rowStarts[r]` up to `rowStarts[r + 1]`.
  private(set) var rowStarts: [Int] = [0]
  private(set) var columns: [Int32] = []
  private(set) var values: [Double] = []
  private(set) var largestIndex = 0
  private var position = 0

  init(bytes: [UInt8], source: String, featureCount: Int?) {
    self.bytes = bytes
    self.source = source
    statedFeatureCount = featureCount
  }

  mutating func parse() throws(LIBSVMError) {
    if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
      throw .notASCII(source: source)
    }
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    // One entry per ten bytes is typical.
    columns.reserveCapacity(bytes.count / 10)
    values.reserveCapacity(bytes.count / 10)
    while position < bytes.count {
      skipBlanks()
      if !isAtEndOfContent { try parseRow() }
      skipRestOfLine()
    }
    if labels.isEmpty { throw .empty(source: source) }
  }

  private mutating func parseRow() throws(LIBSVMError) {
    let label = nextToken()
    guard let value = parseNumber(bytes, label), value.isFinite else {
      throw .labelNotANumber(at: place(label.lowerBound), found: decode(label, bytes))
    }
    labels.append(value)
    var previous = 0
    skipBlanks()
    while !isAtEndOfContent {
      try parseEntry(nextToken(), after: &previous)
      skipBlanks()
    }
    rowStarts.append(values.count)
  }

  private mutating func parseEntry(
    _ token: Range<Int>, after previous: inout Int
  ) throws(LIBSVMError) {
    guard let colon = bytes[token].firstIndex(of: UInt8(ascii: ":")),
      colon > token.lowerBound, colon + 1 < token.upperBound
    else { throw .malformedEntry(at: place(token.lowerBound), found: decode(token, bytes)) }
    let name = token.lowerBound..<colon
    guard let index = parseIndex(name) else {
      if decode(name, bytes) == "qid" { throw .queryIdentifier(at: place(token.lowerBound)) }
      throw .invalidIndex(at: place(token.lowerBound), found: decode(name, bytes))
    }
    if index <= previous {
      throw .indexNotIncreasing(at: place(token.lowerBound), index: Int(index), previous: previous)
    }
    if let limit = statedFeatureCount, index > limit {
      throw .indexTooLarge(at: place(token.lowerBound), index: Int(index), featureCount: limit)
    }
    let text = (colon + 1)..<token.upperBound
    guard let value = parseNumber(bytes, text), value.isFinite else {
      throw .valueNotANumber(at: place(text.lowerBound), found: decode(text, bytes))
    }
    columns.append(index - 1)
    values.append(value)
    previous = Int(index)
    largestIndex = max(largestIndex, previous)
  }

  private func parseIndex(_ range: Range<Int>) -> Int32? {
    var value = 0
    for byte in bytes[range] {
      let digit = Int(byte) - 48
      guard 0...9 ~= digit else { return nil }
      value = value * 10 + digit
      // Checked at each digit, so that the value cannot overflow.
      if value > Int32.max { return nil }
    }
    return value > 0 ? Int32(value) : nil
  }

  /// The bytes up to the next blank, comment or line end; not empty where there is content.
  private mutating func nextToken() -> Range<Int> {
    let start = position
    while position < bytes.count, !isBlank(bytes[position]), !isAtEndOfContent { position += 1 }
    return start..<position
  }

  /// Whether the rest of the line says nothing: its end, or a comment.
  private var isAtEndOfContent: Bool {
    position >= bytes.count || isLineEnd(bytes[position]) || bytes[position] == UInt8(ascii: "#")
  }

  private mutating func skipBlanks() {
    while position < bytes.count, isBlank(bytes[position]) { position += 1 }
  }

  /// Moves behind the line end; the line feed of a CRLF is left as a blank line, which is skipped.
  private mutating func skipRestOfLine() {
    while position < bytes.count, !isLineEnd(bytes[position]) { position += 1 }
    position += 1
  }

  private func isBlank(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
  }

  private func place(_ offset: Int) -> LIBSVMPosition {
    let place = positionInText(of: offset, in: bytes, source: source, columnName: nil)
    return LIBSVMPosition(source: source, line: place.line, column: place.column)
  }
}
