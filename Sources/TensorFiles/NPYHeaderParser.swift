// The text of a `.npy` header is a Python dictionary of three entries. What is understood is that
// and no more: strings without escapes, True, False, and a tuple of whole numbers.

struct NPYHeaderParser {
  let text: [UInt8]
  let source: String
  private(set) var descr: String?
  private(set) var isFortranOrder: Bool?
  private(set) var shape: [Int]?
  private var position = 0

  /// The largest number of axes NumPy has.
  private static let maximumRank = 64

  init(text: [UInt8], source: String) {
    self.text = text
    self.source = source
  }

  /// What a message shows of the whole text.
  var start: String { String(decoding: text.prefix(80), as: UTF8.self) }

  mutating func parse() throws(NPYError) {
    if let index = text.firstIndex(where: { $0 >= 0x80 }) {
      position = index
      throw unexpected("ASCII text")
    }
    try require("{", "a dictionary")
    while !skip("}") {
      try parseEntry()
      if skip(",") { continue }
      try require("}", "a comma or the end of the dictionary")
      break
    }
    skipBlanks()
    if position < text.count { throw unexpected("nothing after the dictionary") }
  }

  private mutating func parseEntry() throws(NPYError) {
    let keyStart = position
    let key = try parseString("a key")
    try require(":", "a colon")
    switch key {
    case "descr" where descr == nil: descr = try parseDescr()
    case "fortran_order" where isFortranOrder == nil: isFortranOrder = try parseFlag()
    case "shape" where shape == nil: shape = try parseShape()
    default:
      position = keyStart
      throw unexpected("each of the keys 'descr', 'fortran_order' and 'shape' once")
    }
  }

  private mutating func parseDescr() throws(NPYError) -> String {
    skipBlanks()
    // A list here is the type of a record, which is legal but no type of a tensor.
    if position < text.count, text[position] == UInt8(ascii: "[") {
      throw .unsupportedType(source: source, descr: found)
    }
    return try parseString("a type such as '<f8'")
  }

  private mutating func parseString(_ expected: String) throws(NPYError) -> String {
    skipBlanks()
    guard position < text.count, let quote = ["'", "\""].first(where: { skip($0) }) else {
      throw unexpected(expected + " in quotes")
    }
    let start = position
    while position < text.count, Unicode.Scalar(text[position]) != quote.unicodeScalars.first {
      if text[position] < 0x20 || text[position] == UInt8(ascii: "\\") {
        throw unexpected("text without escapes")
      }
      position += 1
    }
    guard position < text.count else { throw unexpected("a closing quote") }
    position += 1
    return String(decoding: text[start..<(position - 1)], as: UTF8.self)
  }

  private mutating func parseFlag() throws(NPYError) -> Bool {
    if skip("True") { return true }
    if skip("False") { return false }
    throw unexpected("True or False")
  }

  private mutating func parseShape() throws(NPYError) -> [Int] {
    try require("(", "a tuple")
    var sizes: [Int] = []
    var hasComma = false
    while !skip(")") {
      if !sizes.isEmpty && !hasComma { throw unexpected("a comma or the end of the tuple") }
      if sizes.count == Self.maximumRank { throw unexpected("at most \(Self.maximumRank) axes") }
      sizes.append(try parseSize())
      hasComma = skip(",")
    }
    // Python reads (3) as the number 3.
    if sizes.count == 1 && !hasComma { throw unexpected("a comma after the only size of a shape") }
    return sizes
  }

  private mutating func parseSize() throws(NPYError) -> Int {
    skipBlanks()
    let start = position
    var size = 0
    while position < text.count, 48...57 ~= text[position] {
      let (tens, overflows) = size.multipliedReportingOverflow(by: 10)
      let (next, overflowsToo) = tens.addingReportingOverflow(Int(text[position]) - 48)
      if overflows || overflowsToo {
        position = start
        throw unexpected("a size that fits 64 bits")
      }
      size = next
      position += 1
    }
    if position == start { throw unexpected("a size, a whole number that is not negative") }
    // Python 2 marked some whole numbers so.
    _ = skip("L")
    return size
  }

  private mutating func require(_ token: String, _ expected: String) throws(NPYError) {
    if !skip(token) { throw unexpected(expected) }
  }

  /// Moves behind blanks and, if it follows, a token.
  private mutating func skip(_ token: String) -> Bool {
    skipBlanks()
    guard text[position...].starts(with: token.utf8) else { return false }
    position += token.utf8.count
    return true
  }

  private mutating func skipBlanks() {
    while position < text.count, [0x20, 0x09, 0x0A, 0x0D].contains(text[position]) { position += 1 }
  }

  private var found: String {
    position < text.count
      ? String(decoding: text[position...].prefix(40), as: UTF8.self) : "the end of the header"
  }

  private func unexpected(_ expected: String) -> NPYError {
    .malformedHeader(source: source, offset: position, expected: expected, found: found)
  }
}
