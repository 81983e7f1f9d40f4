// JSON as far as the header of a `.safetensors` file has it: objects, texts, and arrays of whole
// numbers. By hand, because Foundation's decoders keep one of two equal keys without a word, take
// `true` for 1, and lose where a value lies.

extension HeaderScanner {
  /// Moves to the value of the next key of an object, whose opening brace was read; nil, and behind
  /// the closing brace, if there is none.
  mutating func nextKey() throws(FileError) -> String? {
    let isFirst = text[..<position].last { !Self.isBlank($0) } == UInt8(ascii: "{")
    if skip("}") { return nil }
    if !isFirst { try require(",", "a comma or the end of the object") }
    let key = try string().text
    try require(":", "a colon")
    return key
  }

  mutating func integers() throws(FileError) -> [Int] {
    try require("[", "an array")
    if skip("]") { return [] }
    var numbers: [Int] = []
    repeat {
      let digits = digits()
      guard let value = Int(digits), digits.utf8.count == 1 || !digits.hasPrefix("0") else {
        throw refuse(digits, "a whole number from 0 to 2⁶³ − 1")
      }
      numbers.append(value)
    } while skip(",")
    try require("]", "a comma or the end of the array")
    return numbers
  }

  /// A text, and where its bytes lie between the quotes.
  mutating func string() throws(FileError) -> (text: String, range: Range<Int>) {
    try require("\"", "a text in quotes")
    let start = position
    var bytes: [UInt8] = []
    while position < text.count, text[position] != UInt8(ascii: "\"") {
      if text[position] == UInt8(ascii: "\\") {
        let start = position
        guard let character = escaped() else {
          position = start
          throw unexpected("an escape of JSON")
        }
        bytes += UTF8.encode(character) ?? UTF8.encodedReplacementCharacter
      } else if text[position] < 0x20 {
        throw unexpected("a text without control characters")
      } else {
        bytes.append(text[position])
        position += 1
      }
    }
    let range = start..<position
    try require("\"", "a closing quote")
    guard let string = String(validating: bytes, as: UTF8.self) else {
      position = start
      throw unexpected("UTF-8")
    }
    return (string, range)
  }

  private static let escapes: [UInt8: Unicode.Scalar] = [
    UInt8(ascii: "\""): "\"", UInt8(ascii: "\\"): "\\", UInt8(ascii: "/"): "/",
    UInt8(ascii: "b"): "\u{8}", UInt8(ascii: "f"): "\u{C}", UInt8(ascii: "n"): "\n",
    UInt8(ascii: "r"): "\r", UInt8(ascii: "t"): "\t",
  ]

  /// What stands for a character: a letter behind a backslash, a unit of UTF-16, or two of them
  /// outside of the basic plane.
  private mutating func escaped() -> Unicode.Scalar? {
    if position + 1 < text.count, let scalar = Self.escapes[text[position + 1]] {
      position += 2
      return scalar
    }
    guard let first = unicodeUnit() else { return nil }
    guard UTF16.isLeadSurrogate(first) else { return Unicode.Scalar(first) }
    guard let second = unicodeUnit(), UTF16.isTrailSurrogate(second) else { return nil }
    return Unicode.Scalar(0x1_0000 + (UInt32(first) - 0xD800) << 10 + (UInt32(second) - 0xDC00))
  }

  private mutating func unicodeUnit() -> UInt16? {
    guard text[position...].starts(with: "\\u".utf8), position + 6 <= text.count else { return nil }
    let digits = decode((position + 2)..<(position + 6), text)
    // A sign would be read as part of a number.
    guard digits.allSatisfy(\.isHexDigit) else { return nil }
    position += 6
    return UInt16(digits, radix: 16)
  }
}

/// A text as JSON writes it.
func jsonString(_ text: String) -> String {
  var result = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"", "\\": result += "\\\(scalar)"
    case "\u{0}"..<" ": result += "\\u" + hexadecimal(scalar.value, digits: 4)
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result + "\""
}
