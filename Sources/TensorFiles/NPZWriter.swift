import Autodiff

/// Writes a `.npz` archive, which `numpy.load` and `NPZArchive` read.
///
///     var writer = NPZWriter()
///     writer.append(x, named: "x")
///     writer.append(y, named: "y")
///     try writer.write(toFile: "data.npz")
///
/// The same arrays give the same bytes, with any date: members carry the first date ZIP knows, as
/// NumPy's do. An archive is at most 4 GiB.
public struct NPZWriter: Sendable {
  /// Whether the arrays are deflated, as by `numpy.savez_compressed`, or stored.
  public let isCompressed: Bool

  private var members: [(name: String, array: NPYArray)] = []

  /// Creates an archive without arrays.
  public init(isCompressed: Bool = true) { self.isCompressed = isCompressed }

  /// Adds an array.
  ///
  /// - Precondition: The name is not empty, holds no zero character and is not taken.
  public mutating func append(_ array: NPYArray, named name: String) {
    guard !name.isEmpty, !name.contains("\0"), name.utf8.count < 0xFF00 else {
      stop("NPZWriter.append", "\(quoted(name)) cannot name an array")
    }
    guard !members.contains(where: { ExactName($0.name) == ExactName(name) }) else {
      stop("NPZWriter.append", "there is already an array \(quoted(name))")
    }
    members.append((name, array))
  }

  /// Adds a tensor.
  ///
  /// - Precondition: As `append(_:named:)` of an array, and the tensor is not being differentiated.
  public mutating func append(_ tensor: Tensor, named name: String) {
    append(NPYArray(tensor), named: name)
  }

  /// Writes the file in one piece: a reader sees the old file or the new one, never a part.
  ///
  /// - Throws: A `FileError` of the kind `unwritable`, or `unsupported` where zlib is missing.
  public func write(toFile path: String) throws(FileError) {
    let file = try AtomicFile(replacing: path)
    var directory: [UInt8] = []
    var offset = 0
    for (name, array) in members {
      let header = array.encodedHeader
      var checksum = CRC32(header)
      checksum.update(array.encodedElements)
      let plain = [header, array.encodedElements]
      let byteCount = header.count + array.encodedElements.count
      let data =
        isCompressed
        ? [try ZlibLibrary.required(for: path) { () throws(ZlibFailure) in try deflate(plain) }]
        : plain
      let member = ZIPMember(
        name: name + ".npy", isDeflated: isCompressed, checksum: checksum.value,
        compressedByteCount: data.reduce(0) { $0 + $1.count }, byteCount: byteCount,
        offset: offset)
      guard member.byteCount < 0xFFFF_FFFF, member.end < 0xFFFF_FFFF, members.count < 0xFFFF else {
        throw FileError(
          .unwritable, path, "the archive would be larger than 4 GiB; write several")
      }
      try file.write(member.localHeader)
      for part in data { try file.write(part) }
      directory += member.directoryEntry
      offset = member.end
    }
    let end = ZIPMember.endRecord(
      count: members.count, directoryByteCount: directory.count, offset: offset)
    try file.write(directory + end)
    try file.commit()
  }
}

/// The records of a member that is written.
private struct ZIPMember {
  let name: String
  let isDeflated: Bool
  let checksum: UInt32
  let compressedByteCount: Int
  let byteCount: Int
  let offset: Int

  var end: Int { offset + localHeader.count + compressedByteCount }

  /// The fields that both headers have: version, flags, method, time, date, check, sizes, lengths.
  private var common: [UInt8] {
    let flags = name.utf8.allSatisfy { $0 < 0x80 } ? 0 : 0x800
    return little(20, 2) + little(flags, 2) + little(isDeflated ? 8 : 0, 2)
      // Midnight of 1 January 1980.
      + little(0, 2) + little(0x21, 2) + little(Int(checksum), 4)
      + little(compressedByteCount, 4) + little(byteCount, 4) + little(name.utf8.count, 2)
      + little(0, 2)
  }

  var localHeader: [UInt8] { little(0x0403_4B50, 4) + common + Array(name.utf8) }

  var directoryEntry: [UInt8] {
    // Written on Unix, no comment, first disk, binary, permissions rw-------.
    little(0x0201_4B50, 4) + little(3 << 8 | 20, 2) + common + little(0, 6)
      + little(0o600 << 16, 4) + little(offset, 4) + Array(name.utf8)
  }

  static func endRecord(count: Int, directoryByteCount: Int, offset: Int) -> [UInt8] {
    little(0x0605_4B50, 4) + little(0, 4) + little(count, 2) + little(count, 2)
      + little(directoryByteCount, 4) + little(offset, 4) + little(0, 2)
  }
}

private func little(_ value: Int, _ count: Int) -> [UInt8] {
  (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
}
