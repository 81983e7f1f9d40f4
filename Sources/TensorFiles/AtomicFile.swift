import Foundation

/// A file that appears in one piece: a reader sees the old file or the new one, never a part.
///
/// The bytes go to a file of another name in the same directory, which takes the place of the old
/// one once they are on the disk. Without `commit` nothing remains.
final class AtomicFile {
  private let path: String
  private let temporaryPath: String
  private let directory: String
  private let descriptor: Int32
  private var isCommitted = false

  init(replacing path: String) throws(FileFailure) {
    self.path = path
    let end = path.lastIndex(of: "/")
    directory = end.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    let label = String(UInt64.random(in: .min ... .max), radix: 16)
    temporaryPath = "\(directory)/.adjoint-\(label).tmp"
    descriptor = open(temporaryPath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    if descriptor < 0 {
      throw errno == ENOENT
        ? FileFailure(reason: "the directory it should be in does not exist")
        : FileFailure(code: errno)
    }
  }

  deinit {
    close(descriptor)
    if !isCommitted { unlink(temporaryPath) }
  }

  func write(_ bytes: [UInt8]) throws(FileFailure) {
    let failure = bytes.withUnsafeBytes { write($0) }
    if let failure { throw failure }
  }

  private func write(_ bytes: UnsafeRawBufferPointer) -> FileFailure? {
    var done = 0
    while done < bytes.count, let base = bytes.baseAddress {
      #if canImport(Darwin)
        let count = Darwin.write(descriptor, base + done, bytes.count - done)
      #else
        let count = Foundation.write(descriptor, base + done, bytes.count - done)
      #endif
      if count < 0 && errno == EINTR { continue }
      if count < 0 { return FileFailure(code: errno) }
      done += count
    }
    return nil
  }

  /// Puts the file in its place, its bytes on the disk before its name.
  func commit() throws(FileFailure) {
    if fsync(descriptor) != 0 { throw FileFailure(code: errno) }
    if rename(temporaryPath, path) != 0 { throw FileFailure(code: errno) }
    isCommitted = true
    // The name is an entry of the directory. Not every file system can be asked to keep it now, and
    // the file is whole either way, so a refusal is no failure.
    let parent = open(directory, O_RDONLY | O_CLOEXEC)
    if parent >= 0 {
      fsync(parent)
      close(parent)
    }
  }

  /// Writes a whole file.
  static func write(_ parts: [[UInt8]], to path: String) throws(FileFailure) {
    let file = try AtomicFile(replacing: path)
    for part in parts { try file.write(part) }
    try file.commit()
  }
}
