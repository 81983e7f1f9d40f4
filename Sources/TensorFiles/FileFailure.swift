import Foundation

/// Why the system refused a file operation.
public struct FileFailure: Error, Equatable, CustomStringConvertible, Sendable {
  /// The reason in a few words, without the path.
  public let reason: String

  /// A failure with a reason of the caller's.
  public init(reason: String) { self.reason = reason }

  /// What a number of the system, such as `errno`, means.
  public init(code: Int32) {
    switch code {
    case ENOENT: reason = "no such file or directory"
    case EACCES, EPERM: reason = "permission denied"
    case EISDIR: reason = "it is a directory"
    case ENOTDIR: reason = "a part of its path is a file, not a directory"
    case EEXIST: reason = "there is a file of this name"
    case ENOSPC, EDQUOT: reason = "the disk is full"
    case EROFS: reason = "the disk is read-only"
    case EBADF: reason = "it is closed"
    case EPIPE: reason = "nobody reads it any more"
    default: reason = String(cString: strerror(code))
    }
  }

  public var description: String { reason }
}
