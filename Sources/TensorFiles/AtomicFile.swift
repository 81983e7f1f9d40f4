import Foundation

/// A file that appears in one piece: a reader sees the old file or the new one, never a part.
///
///     let file = try AtomicFile(replacing: "results.json")
///     try file.write(Array(text.utf8))
///     try file.commit()
///
/// The bytes go to another file of the same directory, which takes the place of the old one once they
/// are on the disk. Without `commit` nothing remains. A program that is killed leaves nothing where
/// files without a name exist (Linux); elsewhere it leaves one hidden file, which the next writing of
/// the same file takes over. A pipe or a device, such as `/dev/stdout`, is written directly.
public final class AtomicFile {
  private let path: String
  private let directory: String
  private let descriptor: Int32
  /// Where the bytes are until they take the place of the old file; nil where they have no name.
  private var temporaryPath: String?
  private let isStream: Bool

  /// Opens the file, in whose place nothing changes yet.
  ///
  /// - Throws: What the system says of its directory, or of the file if it is none.
  public convenience init(replacing path: String) throws(FileError) {
    try self.init(replacing: path, usesNamelessFiles: true)
  }

  /// - Parameter usesNamelessFiles: Whether to ask for a file without a name first; for tests.
  package init(replacing path: String, usesNamelessFiles: Bool) throws(FileError) {
    self.path = path
    let end = path.lastIndex(of: "/")
    directory = end.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    let name = end.map { path[path.index(after: $0)...] } ?? path[...]
    if name.isEmpty { throw FileError(.unwritable, path, code: EISDIR) }
    if let stream = try Self.openStream(path) {
      (descriptor, isStream) = (stream, true)
      return
    }
    isStream = false
    if usesNamelessFiles, let nameless = Self.openNameless(in: directory) {
      descriptor = nameless
      return
    }
    let temporary = Self.temporaryName(of: name, in: directory)
    descriptor = try Self.openNamed(temporary, for: path)
    temporaryPath = temporary
  }

  deinit {
    if let temporaryPath { unlink(temporaryPath) }
    close(descriptor)
  }

  /// Refuses a directory in which no file can be written, by trying.
  ///
  /// - Throws: What the system says.
  public static func requireWritable(directory: String) throws(FileError) {
    _ = try AtomicFile(replacing: directory + "/adjoint-probe")
  }

  /// A pipe or a device, open; nil for a regular file and for none.
  private static func openStream(_ path: String) throws(FileError) -> Int32? {
    let names = [["/dev/stdout", "/dev/fd/1"], ["/dev/stderr", "/dev/fd/2"]]
    if let index = names.firstIndex(where: { $0.contains(path) }) {
      // Opened by its name, a file behind it would be written from its start once more.
      fflush(nil)
      let descriptor = dup(Int32(index) + 1)
      if descriptor < 0 { throw FileError(.unwritable, path, code: errno) }
      return descriptor
    }
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG else { return nil }
    let descriptor = open(path, O_WRONLY | O_CLOEXEC)
    if descriptor < 0 { throw FileError(.unwritable, path, code: errno) }
    return descriptor
  }

  /// A file without a name; nil where there is no such thing, or no place for it.
  private static func openNameless(in directory: String) -> Int32? {
    #if os(Linux)
      // O_TMPFILE, which is a macro that Swift does not see.
      let flags = O_DIRECTORY | 0o20_000_000 | O_WRONLY | O_CLOEXEC
      let descriptor = open(directory, flags, 0o666)
      guard descriptor >= 0 else { return nil }
      // It gets its name by way of this one.
      if access("/proc/self/fd/\(descriptor)", F_OK) == 0 { return descriptor }
      close(descriptor)
    #endif
    return nil
  }

  private static func temporaryName(
    of name: Substring, in directory: String, _ mark: String = ""
  ) -> String {
    // A name of its own where the other one would be too long for the file system.
    "\(directory)/.\(name.utf8.count < 200 ? String(name) : "adjoint")\(mark).tmp"
  }

  /// The file of a temporary name, alone: one that a killed program left is taken over, one that
  /// another program writes is waited for.
  private static func openNamed(
    _ temporary: String, for path: String
  ) throws(FileError) -> Int32 {
    while true {
      let descriptor = open(temporary, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o666)
      if descriptor < 0 {
        throw errno == ENOENT
          ? FileError(.unwritable, path, "the directory it should be in does not exist")
          : FileError(.unwritable, path, code: errno)
      }
      // A file system without locks lets everyone through.
      _ = flock(descriptor, LOCK_EX)
      var (own, current) = (stat(), stat())
      let isCurrent =
        fstat(descriptor, &own) == 0 && stat(temporary, &current) == 0
        && own.st_ino == current.st_ino
        && own.st_dev == current.st_dev
      if isCurrent, ftruncate(descriptor, 0) == 0 { return descriptor }
      let code = errno
      close(descriptor)
      // Otherwise its owner has put it in its place meanwhile.
      if isCurrent { throw FileError(.unwritable, path, code: code) }
    }
  }

  /// Appends bytes.
  ///
  /// - Throws: What the system says.
  public func write(_ bytes: [UInt8]) throws(FileError) {
    var failure: FileError?
    bytes.withUnsafeBytes { bytes in
      var done = 0
      while failure == nil, done < bytes.count, let base = bytes.baseAddress {
        #if canImport(Darwin)
          let count = Darwin.write(descriptor, base + done, bytes.count - done)
        #else
          let count = Foundation.write(descriptor, base + done, bytes.count - done)
        #endif
        if count < 0 && errno == EINTR { continue }
        if count < 0 { failure = FileError(.unwritable, path, code: errno) } else { done += count }
      }
    }
    if let failure { throw failure }
  }

  /// Puts the file in its place, its bytes on the disk before its name.
  ///
  /// - Throws: What the system says; then the old file is as it was.
  public func commit() throws(FileError) {
    if isStream { return }
    if fsync(descriptor) != 0 { throw FileError(.unwritable, path, code: errno) }
    let isNameless = temporaryPath == nil
    while true {
      let temporary: String
      if let temporaryPath { temporary = temporaryPath } else { temporary = try named() }
      temporaryPath = temporary
      if rename(temporary, path) == 0 { break }
      let code = errno
      // Another writer of the same file has taken the name for a leftover.
      guard isNameless, code == ENOENT else { throw FileError(.unwritable, path, code: code) }
      temporaryPath = nil
    }
    temporaryPath = nil
    // The name is an entry of the directory. Not every file system can be asked to keep it now, and
    // the file is whole either way, so a refusal is no failure.
    let parent = open(directory, O_RDONLY | O_CLOEXEC)
    if parent >= 0 {
      fsync(parent)
      close(parent)
    }
  }

  /// Gives the file without a name a temporary one, because a name that is taken can only be given by
  /// renaming.
  ///
  /// It is the same for every writing of a file, so that what a kill between the two leaves is removed by
  /// the next one.
  private func named() throws(FileError) -> String {
    while true {
      let name = Self.temporaryName(
        of: path.split(separator: "/").last ?? "file", in: directory, ".named")
      if linkat(AT_FDCWD, "/proc/self/fd/\(descriptor)", AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0 {
        return name
      }
      if errno == EEXIST {
        unlink(name)
      } else if errno != EINTR {
        throw FileError(.unwritable, path, code: errno)
      }
    }
  }

  /// Writes a whole file.
  ///
  /// - Throws: What the system says; then the old file is as it was.
  public static func write(_ parts: [[UInt8]], to path: String) throws(FileError) {
    let file = try AtomicFile(replacing: path)
    for part in parts { try file.write(part) }
    try file.commit()
  }
}
