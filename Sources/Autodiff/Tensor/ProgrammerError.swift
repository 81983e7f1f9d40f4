#if os(Linux)
  import Glibc
#endif

/// Stops the program because of a mistake in the calling code: a wrong shape, axis or scalar type.
///
/// `precondition` loses its message in optimised builds and `fatalError` keeps it, so every such
/// check of the package ends here. A message says what was being done, what was expected, what was
/// found, and the fix where one is obvious. Where the lines of the program that led here can be
/// found, they stand with the message and nothing else does: registers and the library's own frames
/// would bury them. `SWIFT_BACKTRACE=enable=no` leaves them out.
///
/// - Parameters:
///   - operation: The public name of the operation, such as `matmul`.
///   - message: Expected against found, then what to do.
@inline(never)
package func stop(_ operation: String, _ message: String) -> Never {
  let text = "\(operation): \(message)\(floatPromotionNote)"
  #if os(Linux)
    // It takes seconds in a large program, and is not asked for where backtraces are switched off.
    let setting = getenv("SWIFT_BACKTRACE").map { String(cString: $0) }
    let places = setting?.contains("enable=no") == true ? [] : callSites()
    if let place = places.first {
      let callers = places.dropFirst().map { "  called from \($0)\n" }.joined()
      let report = "\(place): Fatal error: \(text)\n\(callers)"
      _ = report.withCString { write(STDERR_FILENO, $0, strlen($0)) }
      // Whoever asked for the runtime's own account gets it too.
      if setting == nil { signal(SIGABRT, SIG_DFL) }
      abort()
    }
  #endif
  fatalError(text)
}
