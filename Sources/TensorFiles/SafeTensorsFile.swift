import Autodiff

/// A `.safetensors` file: named tensors and a dictionary of texts.
///
///     let file = try SafeTensorsFile(contentsOfFile: "model.safetensors")
///     let weight = try file.tensor(named: "encoder.weight")
///
/// The format of huggingface/safetensors: the length of the header in 8 bytes, the header in JSON,
/// the data. Every tensor's size must be that of its shape, and the tensors must fill the data
/// without gap or overlap. Integers are read as `int32`, and refused where one does not fit; half
/// precision is read as `float32`.
///
/// A file written here carries a checksum of all its bytes, under `adjoint.crc32` in the metadata:
/// the CRC-32 of the file with these eight digits zero. It is verified where it is there.
public struct SafeTensorsFile: Sendable {
  /// The name of the file, used in messages.
  public let source: String

  /// The names of the tensors, in the order of their data.
  public let names: [String]

  /// The texts of the file, without those of its checksum.
  public let metadata: [String: String]

  /// Whether the file has a checksum, which then was verified.
  let isChecked: Bool

  private let entries: [ExactName: SafeTensorsHeader.Entry]
  private let bytes: [UInt8]
  private let dataOffset: Int

  static let headerLimit = 100_000_000
  static let checksumKey = "adjoint.crc32"
  /// Says that there is a checksum, so that damage to the key of the checksum is noticed too.
  static let formatKey = "adjoint.format"
  static let format = "1"

  /// Reads a file, all of it into memory.
  ///
  /// - Throws: A `FileError` if the file cannot be read, is malformed or damaged.
  public init(contentsOfFile path: String) throws(FileError) {
    try self.init(parsing: ByteSource.bytes(ofFile: path), source: path)
  }

  /// Reads the bytes of a file.
  ///
  /// - Throws: A `FileError` if they are malformed or damaged.
  public init(parsing bytes: [UInt8], source: String = "bytes") throws(FileError) {
    guard bytes.count >= 8 else {
      throw .truncated(source, expected: 8, found: bytes.count)
    }
    let length = bytes[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length <= Self.headerLimit else {
      throw .headerTooLong(
        source, length, limit: Self.headerLimit, "check that it is a .safetensors file")
    }
    let start = 8 + Int(length)
    guard start <= bytes.count else {
      throw .truncated(source, expected: start, found: bytes.count)
    }
    var header = try SafeTensorsHeader(parsing: Array(bytes[8..<start]), source: source)
    let (end, overflows) = start.addingReportingOverflow(try header.arrange())
    if overflows || end > bytes.count {
      throw .truncated(source, expected: overflows ? .max : end, found: bytes.count)
    }
    if end < bytes.count {
      throw .trailingBytes(
        source, expected: end, found: bytes.count, "the rest belongs to no tensor")
    }
    try Self.verify(bytes, header, source)

    self.source = source
    self.bytes = bytes
    dataOffset = start
    names = header.entries.map(\.name)
    entries = Dictionary(header.entries.map { (ExactName($0.name), $0) }) { first, _ in first }
    isChecked = header.metadata[Self.checksumKey] != nil
    metadata = header.metadata.filter { $0.key != Self.checksumKey && $0.key != Self.formatKey }
  }

  private static func verify(
    _ bytes: [UInt8], _ header: SafeTensorsHeader, _ source: String
  ) throws(FileError) {
    let (stated, format) = (header.metadata[checksumKey], header.metadata[formatKey])
    if stated == nil && format == nil { return }
    guard let stated, format == Self.format, let range = header.metadataRanges[checksumKey],
      range.count == 8
    else {
      throw FileError(
        .damaged, source,
        "the metadata should have both \(formatKey), \(Self.format), and \(checksumKey), eight "
          + "digits; copy or save it again")
    }
    // The range counts from the start of the header.
    let digits = (range.lowerBound + 8)..<(range.upperBound + 8)
    var checksum = CRC32(Array(bytes[..<digits.lowerBound]))
    checksum.update([UInt8](repeating: UInt8(ascii: "0"), count: 8))
    bytes.withUnsafeBytes { all in
      checksum.update(UnsafeRawBufferPointer(rebasing: all[digits.upperBound...]))
    }
    guard stated == hexadecimal(checksum.value, digits: 8) else {
      throw FileError(
        .damaged, source,
        "its bytes have another checksum than \(stated), which was written with them; it is damaged, "
          + "or was rewritten by a program that kept the metadata; copy or save it again")
    }
  }

  /// The type of a tensor's elements in the file, or nil if there is no such tensor.
  public func scalarType(named name: String) -> StoredScalarType? {
    entries[ExactName(name)]?.scalarType
  }

  /// The shape of a tensor, or nil if there is no such tensor.
  public func shape(named name: String) -> [Int]? { entries[ExactName(name)]?.shape }

  /// The tensor of a name.
  ///
  /// - Throws: A `FileError` of the kind `unknownName`, of the kind `invalidValue` for an integer that
  ///   does not fit 32 bits, of the kind `unsupported` for more axes, or longer ones, than a tensor has.
  public func tensor(named name: String) throws(FileError) -> Tensor {
    guard let entry = entries[ExactName(name)] else {
      throw .unknown("tensor", name, in: names, of: source)
    }
    guard let shape = Shape(checking: entry.shape) else {
      throw FileError(
        .unsupported, source,
        "the tensor \(quoted(name)) has the shape \(entry.shape), but at most "
          + "\(Shape.maximumRank) axes shorter than 2³¹ were expected")
    }
    let range = (dataOffset + entry.range.lowerBound)..<(dataOffset + entry.range.upperBound)
    let conversion = StoredElements(type: entry.scalarType, isBigEndian: false)
    return try conversion.tensor(bytes[range], shape: shape) { error in
      FileError(
        .invalidValue, source,
        "the tensor \(quoted(name)) has the element \(error.value) at \(error.index), but "
          + "\(error.expected) was expected; convert it")
    }
  }
}

/// A number in base 16, with leading zeros.
func hexadecimal(_ value: some UnsignedInteger, digits: Int) -> String {
  let text = String(value, radix: 16)
  return String(repeating: "0", count: max(0, digits - text.count)) + text
}
