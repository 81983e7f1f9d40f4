/// The text of a `.npy` header, a Python dictionary of three entries.
///
/// What is understood is that and no more: strings without escapes, True, False, and a tuple of whole
/// numbers.
struct NPYHeaderParser {
  private var scanner: HeaderScanner
  private(set) var descr: String?
  private(set) var isFortranOrder: Bool?
  private(set) var shape: [Int]?

  /// The largest number of axes NumPy has.
  private static let maximumRank = 64

  init(text: [UInt8], source: String) throws(FileError) {
    scanner = HeaderScanner(
      text, source: source, advice: "the file is damaged, save the array again with numpy.save")
    if let index = text.firstIndex(where: { $0 >= 0x80 }) {
      scanner.position = index
      throw scanner.unexpected("ASCII text")
    }
    try scanner.require("{", "a dictionary")
    while !scanner.skip("}") {
      try parseEntry()
      if scanner.skip(",") { continue }
      try scanner.require("}", "a comma or the end of the dictionary")
      break
    }
    try scanner.requireEnd(after: "dictionary")
  }

  /// The error of a dictionary without a key.
  func lacking(_ key: String) -> FileError {
    var whole = scanner
    whole.position = 0
    return whole.malformed(
      String(decoding: scanner.text.prefix(80), as: UTF8.self), "a key '\(key)'")
  }

  private mutating func parseEntry() throws(FileError) {
    let keyStart = scanner.position
    let key = try parseString("a key")
    try scanner.require(":", "a colon")
    switch key {
    case "descr" where descr == nil: descr = try parseDescr()
    case "fortran_order" where isFortranOrder == nil: isFortranOrder = try parseFlag()
    case "shape" where shape == nil: shape = try parseShape()
    default:
      scanner.position = keyStart
      throw scanner.unexpected("each of the keys 'descr', 'fortran_order' and 'shape' once")
    }
  }

  private mutating func parseDescr() throws(FileError) -> String {
    scanner.skipBlanks()
    // A list here is the type of a record, which is legal but no type of a tensor.
    if scanner.found.hasPrefix("[") {
      throw NPYHeader.unsupportedType(scanner.found, scanner.source)
    }
    return try parseString("a type such as '<f8'")
  }

  private mutating func parseString(_ expected: String) throws(FileError) -> String {
    guard let quote = ["'", "\""].first(where: { scanner.skip($0) })?.utf8.first else {
      throw scanner.unexpected(expected + " in quotes")
    }
    let start = scanner.position
    while scanner.position < scanner.text.count, scanner.text[scanner.position] != quote {
      let byte = scanner.text[scanner.position]
      if byte < 0x20 || byte == UInt8(ascii: "\\") {
        throw scanner.unexpected("text without escapes")
      }
      scanner.position += 1
    }
    guard scanner.position < scanner.text.count else {
      throw scanner.unexpected("a closing quote")
    }
    scanner.position += 1
    return decode(start..<(scanner.position - 1), scanner.text)
  }

  private mutating func parseFlag() throws(FileError) -> Bool {
    if scanner.skip("True") { return true }
    try scanner.require("False", "True or False")
    return false
  }

  private mutating func parseShape() throws(FileError) -> [Int] {
    try scanner.require("(", "a tuple")
    var sizes: [Int] = []
    var hasComma = false
    while !scanner.skip(")") {
      if !sizes.isEmpty && !hasComma {
        throw scanner.unexpected("a comma or the end of the tuple")
      }
      if sizes.count == Self.maximumRank {
        throw scanner.unexpected("at most \(Self.maximumRank) axes")
      }
      sizes.append(try parseSize())
      hasComma = scanner.skip(",")
    }
    // Python reads (3) as the number 3.
    if sizes.count == 1 && !hasComma {
      throw scanner.unexpected("a comma after the only size of a shape")
    }
    return sizes
  }

  private mutating func parseSize() throws(FileError) -> Int {
    let digits = scanner.digits()
    guard let size = Int(digits) else {
      throw scanner.refuse(
        digits,
        digits.isEmpty
          ? "a size, a whole number that is not negative" : "a size that fits 64 bits")
    }
    // Python 2 marked some whole numbers so.
    _ = scanner.skip("L")
    return size
  }
}
