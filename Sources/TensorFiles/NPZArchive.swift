import Autodiff

/// A `.npz` archive of named arrays, the format of `numpy.savez` and `numpy.savez_compressed`.
///
///     let archive = try NPZArchive(contentsOfFile: "data.npz")
///     let x = try archive.array(named: "x").tensor()
///     var images = try archive.stream(ofMember: "imgs")   // larger than memory
///
/// An archive is a ZIP file, of up to 64-bit sizes, whose members are stored or deflated `.npy`
/// files. The directory is read and compared with the file when the archive is opened; the arrays
/// are read when they are asked for, and their checksums with them. Members that are no arrays (by
/// their names, which do not end in `.npy`) are left out.
public struct NPZArchive: Sendable {
  /// The name of the file, used in messages.
  public var source: String { file.name }

  /// The names of the arrays, without `.npy`, in the order of the directory.
  public let names: [String]

  private let file: ByteSource
  private let entries: [ExactName: ZIPEntry]

  /// Opens a file, which must not change as long as the archive is used.
  ///
  /// - Throws: A `FileError` if the file cannot be read or is malformed.
  public init(contentsOfFile path: String) throws(FileError) {
    try self.init(ByteSource(contentsOfFile: path))
  }

  /// Reads the bytes of an archive.
  ///
  /// - Throws: A `FileError` if they are malformed.
  public init(parsing bytes: [UInt8], source: String = "bytes") throws(FileError) {
    try self.init(ByteSource(bytes, name: source))
  }

  private init(_ file: ByteSource) throws(FileError) {
    self.file = file
    let arrays = try ZIPDirectory(file).entries.filter { $0.name.hasSuffix(".npy") }
    names = arrays.map { String($0.name.dropLast(4)) }
    entries = Dictionary(zip(names.map(ExactName.init), arrays)) { first, _ in first }
  }

  /// The array of a name, all of it in memory.
  ///
  /// - Parameter byteLimit: The size of the elements from which on the array is refused: few bytes
  ///   of an archive can stand for very many. If nil, 16 MiB or 200 times what the archive holds of the
  ///   array, whichever is larger, and in any case half the free memory.
  /// - Throws: A `FileError` of the kind `unknownName` or `tooLarge`, or another one if the member is
  ///   damaged or no array of a supported type.
  public func array(named name: String, byteLimit: Int? = nil) throws(FileError) -> NPYArray {
    var stream = try stream(ofMember: name)
    let count = stream.header.byteCount
    let held = entries[ExactName(name)]?.compressedByteCount ?? 0
    let limit =
      byteLimit ?? min(max(1 << 24, 200 * held), (AvailableMemory.byteCount ?? .max) / 2)
    guard count <= limit else {
      throw FileError(
        .tooLarge, source,
        "\(quoted(name)) has \(count) bytes, but at most \(limit) were expected; read it as a "
          + "stream, or raise the limit")
    }
    let header = stream.header
    var bytes: [UInt8] = []
    // Memory is taken as the bytes arrive, not on the word of a header.
    while stream.remainingByteCount > 0 {
      bytes += try stream.read(min(stream.remainingByteCount, 1 << 20))
    }
    return NPYArray(source: "\(source): \(name)", header: header, stored: bytes)
  }

  /// The elements of an array piece by piece, for an array that need not fit memory.
  ///
  /// - Throws: A `FileError` of the kind `unknownName`, or another one if the start of the member is
  ///   damaged or no array of a supported type.
  public func stream(ofMember name: String) throws(FileError) -> NPZMemberStream {
    guard let entry = entries[ExactName(name)] else {
      throw .unknown("array", name, in: names, of: source)
    }
    return try NPZMemberStream(ZIPMemberReader(file, entry), name: name)
  }
}
