import Foundation

/// Why the system refused a file operation, in a few words.
struct FileFailure: Error {
  let reason: String

  init(reason: String) { self.reason = reason }

  init(code: Int32) {
    switch code {
    case ENOENT: reason = "no such file or directory"
    case EACCES, EPERM: reason = "permission denied"
    case EISDIR: reason = "it is a directory"
    case ENOSPC, EDQUOT: reason = "the disk is full"
    case EROFS: reason = "the disk is read-only"
    default: reason = String(cString: strerror(code))
    }
  }
}

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

  /// Opens a regular file.
  init(contentsOfFile path: String) throws(FileFailure) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    if descriptor < 0 { throw FileFailure(code: errno) }
    var status = stat()
    let failure: FileFailure? =
      if fstat(descriptor, &status) != 0 {
        FileFailure(code: errno)
      } else if status.st_mode & S_IFMT == S_IFDIR {
        FileFailure(code: EISDIR)
      } else if status.st_mode & S_IFMT != S_IFREG {
        FileFailure(reason: "it is not a regular file")
      } else {
        nil
      }
    if let failure {
      close(descriptor)
      throw failure
    }
    name = path
    byteCount = Int(status.st_size)
    content = .file(descriptor)
  }

  deinit {
    if case .file(let descriptor) = content { close(descriptor) }
  }

  /// Fills a buffer with the bytes from an offset on; returns what went wrong, or nil.
  func fill(_ buffer: UnsafeMutableRawBufferPointer, from offset: Int) -> FileFailure? {
    guard offset >= 0, offset <= byteCount, buffer.count <= byteCount - offset else {
      return FileFailure(
        reason: "\(buffer.count) bytes at \(offset) lie beyond its end at \(byteCount)")
    }
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
        if count < 0 { return FileFailure(code: errno) }
        if count == 0 { return FileFailure(reason: "it became shorter while it was read") }
        done += count
      }
    }
    return nil
  }

  /// The bytes of a range.
  func read(_ range: Range<Int>) throws(FileFailure) -> [UInt8] {
    // Refused before memory is taken for it.
    guard range.lowerBound >= 0, range.upperBound <= byteCount else {
      throw FileFailure(reason: "bytes \(range) lie beyond its end at \(byteCount)")
    }
    var failure: FileFailure?
    let bytes = [UInt8](unsafeUninitializedCapacity: range.count) { buffer, count in
      let target = UnsafeMutableRawBufferPointer(
        rebasing: UnsafeMutableRawBufferPointer(buffer)[..<range.count])
      failure = fill(target, from: range.lowerBound)
      count = failure == nil ? range.count : 0
    }
    if let failure { throw failure }
    return bytes
  }
}

/// Runs `body`, and throws what `transform` makes of its error.
func mapError<Result, Failure: Error, Mapped: Error>(
  _ transform: (Failure) -> Mapped, _ body: () throws(Failure) -> Result
) throws(Mapped) -> Result {
  do { return try body() } catch { throw transform(error) }
}
