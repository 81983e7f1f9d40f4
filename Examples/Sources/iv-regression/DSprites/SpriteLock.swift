import Foundation

/// The right of one process at a time to write to a directory of runs.
///
/// The system gives it back when the process ends, however it ends. A file system without locks
/// gives it to everyone.
final class SpriteLock {
  private let descriptor: Int32

  /// Takes the right.
  ///
  /// - Throws: `SpriteStudyError.directoryInUse`, where another process has it.
  init(directory: String) throws(SpriteStudyError) {
    // Not for the processes of runs, which may outlive this one by an iteration.
    descriptor = open("\(directory)/.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { return }
    if flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
      close(descriptor)
      throw .directoryInUse(directory: directory)
    }
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
  }
}
