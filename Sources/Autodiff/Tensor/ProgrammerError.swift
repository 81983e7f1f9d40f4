/// Stops the program because of a mistake in the calling code: a wrong shape, axis or scalar type.
///
/// `precondition` loses its message in optimised builds and `fatalError` keeps it, so every such
/// check of the package ends here. A message says what was being done, what was expected, what was
/// found, and the fix where one is obvious.
///
/// - Parameters:
///   - operation: The public name of the operation, such as `matmul`.
///   - message: Expected against found, then what to do.
@inline(never)
package func stop(_ operation: String, _ message: String) -> Never {
  fatalError("\(operation): \(message)")
}
