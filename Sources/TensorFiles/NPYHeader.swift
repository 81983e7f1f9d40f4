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
  /// - Parameter next: Reads so many bytes.
  static func read(
    total: Int, source: String, next: (Int) throws(FileError) -> [UInt8]
  ) throws(FileError) -> NPYHeader {
    let prefix = try next(min(total, prefixByteCount))
    let text = try textRange(inFileStartingWith: prefix, source: source)
    guard text.upperBound <= total else {
      throw .truncated(source, expected: text.upperBound, found: total)
    }
    let start = try prefix + next(max(0, text.upperBound - prefix.count))
    let header = try NPYHeader(parsing: Array(start[text]), source: source)
    let (end, overflows) = text.upperBound.addingReportingOverflow(header.byteCount)
    if overflows { throw tooLarge(header.shape, source) }
    if end > total { throw .truncated(source, expected: end, found: total) }
    if end < total {
      throw .trailingBytes(
        source, expected: end, found: total, "the rest is no part of the array")
    }
    return header
  }

  private static func tooLarge(_ shape: [Int], _ source: String) -> FileError {
    FileError(.tooLarge, source, "the shape \(shape) has more elements than memory can hold")
  }

  static func unsupportedType(_ descr: String, _ source: String) -> FileError {
    FileError(
      .unsupported, source,
      "elements of type \(quoted(descr)), but booleans, integers of 8 to 64 bits or floating-point "
        + "numbers of 16 to 64 bits were expected; "
        + (descr.hasSuffix("O")
          ? "pickled objects are never loaded, because loading one may run any program: convert the "
            + "array to numbers"
          : "convert it with numpy's astype"))
  }

  /// Where the header's text lies, from the first bytes of a file.
  private static func textRange(
    inFileStartingWith prefix: [UInt8], source: String
  ) throws(FileError) -> Range<Int> {
    guard prefix.prefix(magic.count).elementsEqual(magic.prefix(prefix.count)) else {
      throw FileError(
        .malformed, source,
        "the file starts with the bytes \(prefix.prefix(magic.count)), but a .npy file starts with "
          + "\(magic); check that it is one"
          + (prefix.starts(with: [0x50, 0x4B]) ? " (this is a ZIP archive, such as .npz)" : ""))
    }
    guard prefix.count >= prefixByteCount else {
      throw .truncated(source, expected: prefixByteCount, found: prefix.count)
    }
    let (major, minor) = (Int(prefix[6]), Int(prefix[7]))
    guard 1...3 ~= major, minor == 0 else {
      throw FileError(
        .unsupported, source,
        "version \(major).\(minor) of the format, but 1.0, 2.0 or 3.0 was expected; save the array "
          + "again with numpy.save")
    }
    let start = major == 1 ? 10 : 12
    let length = prefix[8..<start].reversed().reduce(0) { $0 << 8 | Int($1) }
    guard length <= lengthLimit else {
      throw .headerTooLong(
        source, UInt64(length), limit: lengthLimit,
        "the file is damaged, or not an array of numbers")
    }
    return start..<(start + length)
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

extension NPYHeader {
  /// Reads the header's text.
  init(parsing text: [UInt8], source: String) throws(FileError) {
    let parser = try NPYHeaderParser(text: text, source: source)
    guard let descr = parser.descr, let isFortranOrder = parser.isFortranOrder,
      let shape = parser.shape
    else {
      throw parser.lacking(
        parser.descr == nil ? "descr" : parser.shape == nil ? "shape" : "fortran_order")
    }
    let order = descr.first
    guard let order, "<>|".contains(order), let type = Self.codes[String(descr.dropFirst())],
      order != "|" || type.byteCount == 1
    else { throw Self.unsupportedType(descr, source) }
    if type.byteCount(ofShape: shape) == nil { throw Self.tooLarge(shape, source) }
    self.init(
      scalarType: type, isBigEndian: order == ">" && type.byteCount > 1, shape: shape,
      isFortranOrder: isFortranOrder)
  }
}
