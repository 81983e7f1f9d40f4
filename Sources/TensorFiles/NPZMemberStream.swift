/// The elements of an array of a `.npz` archive, read one after the other in pieces of any size.
///
///     var images = try archive.stream(ofMember: "imgs")
///     let pixels = images.header.shape.dropFirst().reduce(1, *)
///     try images.skip(10 * pixels)
///     let image = try images.read(pixels)
///
/// The bytes are those of the file: in the byte order and the order of axes that `header` states.
/// What is in memory is one piece. The member's checksum is known only once its last byte was read,
/// and a mismatch is thrown by that read.
public struct NPZMemberStream: ~Copyable {
  /// Type, shape and order of the elements.
  public let header: NPYHeader

  /// How many bytes of elements are left.
  public var remainingByteCount: Int { reader.remainingByteCount }

  private let reader: ZIPMemberReader

  init(_ reader: ZIPMemberReader, name: String) throws(FileError) {
    self.reader = reader
    header = try NPYHeader.read(
      total: reader.remainingByteCount, source: "\(reader.source): \(name)", next: reader.read)
  }

  /// Fills a buffer with the next bytes.
  ///
  /// - Throws: A `FileError` of the kind `beyondEnd` if fewer are left, of the kind `damaged` if they
  ///   are not what the archive's directory says.
  public mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws(FileError) {
    try reader.read(into: buffer)
  }

  /// Returns the next `count` bytes.
  ///
  /// - Throws: As `read(into:)`.
  public mutating func read(_ count: Int) throws(FileError) -> [UInt8] { try reader.read(count) }

  /// Passes over the next `count` bytes, which are read and checked but not kept.
  ///
  /// - Throws: As `read(into:)`.
  public mutating func skip(_ count: Int) throws(FileError) { try reader.skip(count) }
}
