import TensorFiles

// For `stdout`, which these modules declare as a variable that anyone may change.
#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Musl)
  @preconcurrency import Musl
#else
  @preconcurrency import Darwin
#endif

/// Standard input, output and error on a bad day: closed, full, or without a reader.
public enum StandardStreams {
  /// Makes the streams safe to use; to be called before anything else.
  ///
  /// A stream that is closed is opened on the null device, because the next file opened would take its
  /// number and receive what is written to it; opened the wrong way round, so that results that go
  /// there are noticed to be lost. Writing to a pipe without a reader becomes an error of that writing.
  static func prepare() {
    for (descriptor, mode) in [
      (STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_RDONLY),
    ] where fcntl(descriptor, F_GETFD) < 0 && errno == EBADF {
      _ = open("/dev/null", mode)
    }
    signal(SIGPIPE, SIG_IGN)
  }

  /// Writes to standard error what nobody needs, such as progress; a failure is ignored.
  public static func note(_ text: String) {
    var text = text
    text.withUTF8 { bytes in
      var rest = UnsafeRawBufferPointer(bytes)
      while let start = rest.baseAddress, !rest.isEmpty {
        let count = write(STDERR_FILENO, start, rest.count)
        if count < 0 && errno == EINTR { continue }
        if count <= 0 { return }
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      }
    }
  }

  /// Makes sure that everything printed has arrived.
  ///
  /// - Throws: `OutputError` where something was lost.
  static func flush() throws(OutputError) {
    errno = 0
    let isLost = fflush(stdout) != 0 || ferror(stdout) != 0
    guard isLost else { return }
    let reason = errno == 0 ? "some of it was lost" : FileError.reason(ofCode: errno)
    throw OutputError(path: "standard output", reason: reason)
  }
}
