/// The text of a header, read from its start: what the dictionary of a `.npy` file and the JSON of a
/// `.safetensors` file have in common.
struct HeaderScanner {
  let text: [UInt8]
  let source: String
  /// What to do about a text that is not of the format.
  let advice: String
  var position = 0

  init(_ text: [UInt8], source: String, advice: String) {
    (self.text, self.source, self.advice) = (text, source, advice)
  }

  /// Moves behind blanks and, if it follows, a token.
  mutating func skip(_ token: String) -> Bool {
    skipBlanks()
    guard text[position...].starts(with: token.utf8) else { return false }
    position += token.utf8.count
    return true
  }

  mutating func require(_ token: String, _ expected: String) throws(FileError) {
    if !skip(token) { throw unexpected(expected) }
  }

  /// Only blanks may follow.
  mutating func requireEnd(after whole: String) throws(FileError) {
    skipBlanks()
    if position < text.count { throw unexpected("nothing after the \(whole)") }
  }

  mutating func skipBlanks() {
    while position < text.count, Self.isBlank(text[position]) { position += 1 }
  }

  static func isBlank(_ byte: UInt8) -> Bool { [0x20, 0x09, 0x0A, 0x0D].contains(byte) }

  /// Moves behind blanks and digits, of which there may be none.
  mutating func digits() -> Substring {
    skipBlanks()
    let start = position
    while position < text.count, 48...57 ~= text[position] { position += 1 }
    return String(decoding: text[start..<position], as: UTF8.self)[...]
  }

  /// Moves back, to where `token` started, and says what should stand there.
  mutating func refuse(_ token: some StringProtocol, _ expected: String) -> FileError {
    position -= token.utf8.count
    return unexpected(expected)
  }

  /// What follows, as messages show it.
  var found: String {
    position < text.count
      ? String(decoding: text[position...].prefix(40), as: UTF8.self) : "the end of the header"
  }

  func unexpected(_ expected: String) -> FileError { malformed(found, expected) }

  func malformed(_ found: String, _ expected: String) -> FileError {
    FileError(
      .malformed, source,
      "at \(position) in the header, found \(quoted(found)), but \(expected) was expected; \(advice)"
    )
  }
}
