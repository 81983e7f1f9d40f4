import Foundation

/// The right of one process at a time to write to a directory.
///
/// The system gives it back when the process ends, however it ends. A file system without locks
/// gives it to everyone.
public final class DirectoryLock: Sendable {
  private let descriptor: Int32

  /// Another process has the right.
  public struct InUse: Error, CustomStringConvertible {
    let directory: String
    let program: String

    public var description: String {
      "another \(program) is writing to \(directory); wait for it, or choose another --output"
    }
  }

  /// Takes the right.
  ///
  /// - Parameter program: The name of the program, for the error of another one.
  public init(directory: String, program: String) throws(InUse) {
    // Not for processes that this one starts, which may outlive it.
    descriptor = open("\(directory)/.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { return }
    if flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
      close(descriptor)
      throw InUse(directory: directory, program: program)
    }
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
  }
}
