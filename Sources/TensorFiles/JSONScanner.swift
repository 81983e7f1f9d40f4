// JSON as far as the header of a `.safetensors` file has it: objects, texts, and arrays of whole
// numbers. By hand, because Foundation's decoders keep one of two equal keys without a word, take
// `true` for 1, and lose where a value lies.

struct JSONScanner {
  /// The bytes of the string read last, between its quotes.
  private(set) var lastString = 0..<0

  private let text: [UInt8]
  private let source: String
  private var position = 0

  init(text: [UInt8], source: String) {
    self.text = text
    self.source = source
  }

  /// Moves to the value of the next key of an object, whose opening brace was read; nil, and behind
  /// the closing brace, if there is none.
  mutating func nextKey() throws(SafeTensorsError) -> String? {
    let isFirst = lastToken == UInt8(ascii: "{")
    if skip("}") { return nil }
    if !isFirst { try require(",", "a comma or the end of the object") }
    let key = try string()
    try require(":", "a colon")
    return key
  }

  mutating func integers() throws(SafeTensorsError) -> [Int] {
    try require("[", "an array")
    if skip("]") { return [] }
    var numbers: [Int] = []
    repeat { numbers.append(try integer()) } while skip(",")
    try require("]", "a comma or the end of the array")
    return numbers
  }

  private mutating func integer() throws(SafeTensorsError) -> Int {
    skipBlanks()
    let start = position
    while position < text.count, 48...57 ~= text[position] { position += 1 }
    let digits = text[start..<position]
    guard let value = Int(String(decoding: digits, as: UTF8.self)),
      digits.count == 1 || digits.first != UInt8(ascii: "0")
    else {
      position = start
      throw unexpected("a whole number from 0 to 2⁶³ − 1")
    }
    return value
  }

  mutating func string() throws(SafeTensorsError) -> String {
    try require("\"", "a text in quotes")
    let start = position
    var bytes: [UInt8] = []
    while position < text.count, text[position] != UInt8(ascii: "\"") {
      if text[position] == UInt8(ascii: "\\") {
        try appendEscape(to: &bytes)
      } else if text[position] < 0x20 {
        throw unexpected("a text without control characters")
      } else {
        bytes.append(text[position])
        position += 1
      }
    }
    lastString = start..<position
    try require("\"", "a closing quote")
    guard let string = String(validating: bytes, as: UTF8.self) else {
      position = start
      throw unexpected("UTF-8")
    }
    return string
  }

  private mutating func appendEscape(to bytes: inout [UInt8]) throws(SafeTensorsError) {
    let start = position
    if position + 1 < text.count, let byte = Self.escaped(text[position + 1]) {
      position += 2
      bytes.append(byte)
      return
    }
    guard let scalar = unicodeScalar() else {
      position = start
      throw unexpected("an escape of JSON")
    }
    bytes += UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter
  }

  /// What a letter behind a backslash stands for.
  private static func escaped(_ letter: UInt8) -> UInt8? {
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): letter
    case UInt8(ascii: "b"): 0x08
    case UInt8(ascii: "f"): 0x0C
    case UInt8(ascii: "n"): 0x0A
    case UInt8(ascii: "r"): 0x0D
    case UInt8(ascii: "t"): 0x09
    default: nil
    }
  }

  /// A character as one unit, or two outside of the basic plane.
  private mutating func unicodeScalar() -> Unicode.Scalar? {
    guard let first = unicodeUnit() else { return nil }
    guard UTF16.isLeadSurrogate(first) else { return Unicode.Scalar(first) }
    guard let second = unicodeUnit(), UTF16.isTrailSurrogate(second) else { return nil }
    return Unicode.Scalar(0x1_0000 + (UInt32(first) - 0xD800) << 10 + (UInt32(second) - 0xDC00))
  }

  private mutating func unicodeUnit() -> UInt16? {
    guard position + 6 <= text.count, text[position] == UInt8(ascii: "\\"),
      text[position + 1] == UInt8(ascii: "u")
    else { return nil }
    var unit: UInt16 = 0
    for byte in text[(position + 2)..<(position + 6)] {
      switch byte {
      case 48...57: unit = unit << 4 | UInt16(byte - 48)
      case 65...70, 97...102: unit = unit << 4 | UInt16((byte | 0x20) - 87)
      default: return nil
      }
    }
    position += 6
    return unit
  }

  /// Moves behind a `null`, if one follows.
  mutating func skipNull() -> Bool {
    skipBlanks()
    guard text[position...].starts(with: "null".utf8) else { return false }
    position += 4
    return true
  }

  mutating func require(_ token: Unicode.Scalar, _ expected: String) throws(SafeTensorsError) {
    if !skip(token) { throw unexpected(expected) }
  }

  /// Only blanks may follow.
  mutating func requireEnd() throws(SafeTensorsError) {
    skipBlanks()
    if position < text.count { throw unexpected("nothing after the object") }
  }

  /// The character before the place, blanks left out.
  private var lastToken: UInt8? { text[..<position].last { !Self.isBlank($0) } }

  private mutating func skip(_ token: Unicode.Scalar) -> Bool {
    skipBlanks()
    guard position < text.count, text[position] == UInt8(ascii: token) else { return false }
    position += 1
    return true
  }

  private mutating func skipBlanks() {
    while position < text.count, Self.isBlank(text[position]) { position += 1 }
  }

  private static func isBlank(_ byte: UInt8) -> Bool { [0x20, 0x09, 0x0A, 0x0D].contains(byte) }

  func unexpected(_ expected: String) -> SafeTensorsError {
    let found =
      position < text.count
      ? String(decoding: text[position...].prefix(40), as: UTF8.self) : "the end of the header"
    return .malformedHeader(source: source, offset: position, expected: expected, found: found)
  }
}

/// A text as JSON writes it.
func jsonString(_ text: String) -> String {
  var result = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"", "\\": result += "\\\(scalar)"
    case "\u{0}"..<" ":
      let digits = String(scalar.value, radix: 16)
      result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result + "\""
}
