import Autodiff
import Foundation

/// Bytes of a file or of memory, read where they are wanted, so that a file may be larger than
/// memory.
final class ByteSource: Sendable {
  private enum Content: Sendable {
    case file(Int32)
    case memory([UInt8])
  }

  /// The path, or the name of the bytes in messages.
  let name: String
  let byteCount: Int
  private let content: Content

  init(_ bytes: [UInt8], name: String) {
    self.name = name
    byteCount = bytes.count
    content = .memory(bytes)
  }

  /// Opens a file; a pipe or a device such as `/dev/stdin` is read to its end.
  init(contentsOfFile path: String) throws(FileError) {
    let descriptor = try Self.open(path)
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      defer { close(descriptor) }
      throw FileError(.unreadable, path, code: errno)
    }
    name = path
    switch status.st_mode & S_IFMT {
    case S_IFREG:
      byteCount = Int(status.st_size)
      content = .file(descriptor)
    case S_IFDIR:
      close(descriptor)
      throw FileError(.unreadable, path, code: EISDIR)
    default:
      defer { close(descriptor) }
      let bytes = try Self.readToEnd(descriptor, path)
      byteCount = bytes.count
      content = .memory(bytes)
    }
  }

  private static func open(_ path: String) throws(FileError) -> Int32 {
    #if canImport(Darwin)
      var descriptor = Darwin.open(path, O_RDONLY | O_CLOEXEC)
    #else
      var descriptor = Foundation.open(path, O_RDONLY | O_CLOEXEC)
    #endif
    // A socket cannot be opened by a name, also not by that of standard input.
    if descriptor < 0, errno == ENXIO, ["/dev/stdin", "/dev/fd/0"].contains(path) {
      descriptor = dup(STDIN_FILENO)
    }
    if descriptor < 0 { throw FileError(.unreadable, path, code: errno) }
    return descriptor
  }

  /// The bytes that come, which must end before the free memory does.
  private static func readToEnd(
    _ descriptor: Int32, _ path: String
  ) throws(FileError) -> [UInt8] {
    let limit = (AvailableMemory.byteCount ?? .max) / 4
    var result: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 18)
    while true {
      #if canImport(Darwin)
        let count = Darwin.read(descriptor, &piece, piece.count)
      #else
        let count = Foundation.read(descriptor, &piece, piece.count)
      #endif
      if count < 0 && errno == EINTR { continue }
      if count < 0 { throw FileError(.unreadable, path, code: errno) }
      if count == 0 { return result }
      result += piece[..<count]
      if result.count > limit {
        throw FileError(
          .unreadable, path,
          "more than \(megabytes(limit)) came, a quarter of the free memory, and no end")
      }
    }
  }

  deinit {
    if case .file(let descriptor) = content { close(descriptor) }
  }

  /// All bytes of a file.
  static func bytes(ofFile path: String) throws(FileError) -> [UInt8] {
    let file = try ByteSource(contentsOfFile: path)
    return try file.read(0..<file.byteCount)
  }

  /// The bytes of a range.
  func read(_ range: Range<Int>) throws(FileError) -> [UInt8] {
    // Refused before memory is taken for it.
    try require(range)
    try requireMemory(range.count, of: name)
    return try filledBytes(count: range.count) { (target) throws(FileError) in
      try fill(target, from: range.lowerBound)
    }
  }

  /// Fills a buffer with the bytes from an offset on.
  func fill(_ buffer: UnsafeMutableRawBufferPointer, from offset: Int) throws(FileError) {
    try require(offset..<(offset + buffer.count))
    switch content {
    case .memory(let bytes):
      bytes.withUnsafeBytes { all in
        buffer.copyMemory(
          from: UnsafeRawBufferPointer(rebasing: all[offset...].prefix(buffer.count)))
      }
    case .file(let descriptor):
      var done = 0
      while done < buffer.count, let base = buffer.baseAddress {
        let count = pread(descriptor, base + done, buffer.count - done, off_t(offset + done))
        if count < 0 && errno == EINTR { continue }
        if count < 0 { throw FileError(.unreadable, name, code: errno) }
        if count == 0 {
          throw FileError(.unreadable, name, "it became shorter while it was read")
        }
        done += count
      }
    }
  }

  private func require(_ range: Range<Int>) throws(FileError) {
    if range.lowerBound < 0 || range.upperBound > byteCount {
      throw FileError(.unreadable, name, "bytes \(range) lie beyond its end at \(byteCount)")
    }
  }
}

/// So many bytes, written by `fill`.
func filledBytes(
  count: Int, _ fill: (UnsafeMutableRawBufferPointer) throws(FileError) -> Void
) throws(FileError) -> [UInt8] {
  var bytes = [UInt8](repeating: 0, count: count)
  try bytes.withUnsafeMutableBufferPointer { (buffer) throws(FileError) in
    try fill(UnsafeMutableRawBufferPointer(buffer))
  }
  return bytes
}

/// Refuses to take memory that is not there.
///
/// Small amounts are not asked about.
func requireMemory(
  _ byteCount: Int, for purpose: String = "", of source: String
) throws(FileError) {
  guard byteCount > 1 << 24, let available = AvailableMemory.byteCount, byteCount > available else {
    return
  }
  throw FileError(
    .unreadable, source,
    "\(megabytes(byteCount)) are needed\(purpose), but \(megabytes(available)) of memory are free")
}

/// A count of bytes as people say it, rounded up.
func megabytes(_ count: Int) -> String { "\((count - 1) / 1_000_000 + 1) MB" }
