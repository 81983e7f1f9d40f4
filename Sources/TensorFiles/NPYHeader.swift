import Autodiff

/// What a `.npy` file says of its array before the elements: their type, shape and order.
///
/// NumPy's format, versions 1.0 to 3.0 (NumPy Enhancement Proposal 1).
public struct NPYHeader: Equatable, Sendable {
  /// The type of the elements.
  public let scalarType: StoredScalarType

  /// Whether the most significant byte of an element comes first.
  public let isBigEndian: Bool

  /// The sizes of the axes, outermost first; their product and the bytes of all elements fit `Int`.
  public let shape: [Int]

  /// Whether the first axis varies fastest, and not the last.
  public let isFortranOrder: Bool

  /// The number of elements.
  public var elementCount: Int { shape.reduce(1, *) }

  /// The bytes of all elements.
  public var byteCount: Int { elementCount * scalarType.byteCount }

  /// The type as NumPy writes it, such as `<f8`.
  public var descr: String {
    let order = scalarType.byteCount == 1 ? "|" : isBigEndian ? ">" : "<"
    return order + (Self.codes.first { $0.value == scalarType }?.key ?? "")
  }

  static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
  private static let lengthLimit = 1 << 16
  /// The bytes from which the length of the header is known.
  private static let prefixByteCount = 12

  private static let codes: [String: StoredScalarType] = [
    "b1": .bool, "i1": .int8, "u1": .uint8, "i2": .int16, "u2": .uint16, "i4": .int32,
    "u4": .uint32, "i8": .int64, "u8": .uint64, "f2": .float16, "f4": .float32, "f8": .float64,
  ]

  /// Reads the header of a file of `total` bytes from its start, and compares their number.
  ///
  /// - Parameters:
  ///   - wrap: What the caller throws for an `NPYError`.
  ///   - next: Reads so many bytes.
  static func read<Failure: Error>(
    total: Int, source: String, wrapping wrap: (NPYError) -> Failure,
    next: (Int) throws(Failure) -> [UInt8]
  ) throws(Failure) -> NPYHeader {
    let prefix = try next(min(total, prefixByteCount))
    let text = try mapError(wrap) { () throws(NPYError) in
      try textRange(inFileStartingWith: prefix, source: source)
    }
    guard text.upperBound <= total else {
      throw wrap(.truncated(source: source, expected: text.upperBound, found: total))
    }
    let start = try prefix + next(max(0, text.upperBound - prefix.count))
    return try mapError(wrap) { () throws(NPYError) in
      let header = try NPYHeader(parsing: Array(start[text]), source: source)
      let (end, overflows) = text.upperBound.addingReportingOverflow(header.byteCount)
      if overflows { throw tooLarge(header.shape, source) }
      if end > total { throw .truncated(source: source, expected: end, found: total) }
      if end < total { throw .trailingBytes(source: source, expected: end, found: total) }
      return header
    }
  }

  private static func tooLarge(_ shape: [Int], _ source: String) -> NPYError {
    .invalidShape(
      source: source, shape: "\(shape)", reason: "has more elements than memory can hold")
  }

  /// Where the header's text lies, from the first bytes of a file.
  private static func textRange(
    inFileStartingWith prefix: [UInt8], source: String
  ) throws(NPYError) -> Range<Int> {
    guard prefix.prefix(magic.count).elementsEqual(magic.prefix(prefix.count)) else {
      throw .notNPY(source: source, found: Array(prefix.prefix(magic.count)))
    }
    guard prefix.count >= prefixByteCount else {
      throw .truncated(source: source, expected: prefixByteCount, found: prefix.count)
    }
    let (major, minor) = (Int(prefix[6]), Int(prefix[7]))
    guard 1...3 ~= major, minor == 0 else {
      throw .unsupportedVersion(source: source, major: major, minor: minor)
    }
    let start = major == 1 ? 10 : 12
    let length = prefix[8..<start].reversed().reduce(0) { $0 << 8 | Int($1) }
    guard length <= lengthLimit else {
      throw .headerTooLong(source: source, length: length, limit: lengthLimit)
    }
    return start..<(start + length)
  }

  /// Reads the header's text.
  init(parsing text: [UInt8], source: String) throws(NPYError) {
    var parser = NPYHeaderParser(text: text, source: source)
    try parser.parse()
    guard let descr = parser.descr, let isFortranOrder = parser.isFortranOrder,
      let shape = parser.shape
    else {
      let missing = parser.descr == nil ? "descr" : parser.shape == nil ? "shape" : "fortran_order"
      throw .malformedHeader(
        source: source, offset: 0, expected: "a key '\(missing)'", found: parser.start)
    }
    let order = descr.first
    guard let order, "<>|".contains(order), let type = Self.codes[String(descr.dropFirst())],
      order != "|" || type.byteCount == 1
    else { throw .unsupportedType(source: source, descr: descr) }
    if type.byteCount(ofShape: shape) == nil { throw Self.tooLarge(shape, source) }
    self.init(
      scalarType: type, isBigEndian: order == ">" && type.byteCount > 1, shape: shape,
      isFortranOrder: isFortranOrder)
  }

  init(
    scalarType: StoredScalarType, isBigEndian: Bool, shape: [Int], isFortranOrder: Bool
  ) {
    self.scalarType = scalarType
    self.isBigEndian = isBigEndian
    self.shape = shape
    self.isFortranOrder = isFortranOrder
  }

  /// The bytes of a file of version 1.0 up to the data, which start at a multiple of 64.
  func encoded() -> [UInt8] {
    let sizes = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
    let order = isFortranOrder ? "True" : "False"
    var text = Array("{'descr': '\(descr)', 'fortran_order': \(order), 'shape': (\(sizes)), }".utf8)
    let padding = 63 - (10 + text.count) % 64
    text += [UInt8](repeating: UInt8(ascii: " "), count: padding) + [UInt8(ascii: "\n")]
    return Self.magic + [1, 0, UInt8(text.count & 0xFF), UInt8(text.count >> 8)] + text
  }
}
