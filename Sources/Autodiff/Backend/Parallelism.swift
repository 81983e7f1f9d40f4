import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// How many threads Adjoint's loops and the BLAS library use.
///
/// Results do not depend on this number: loops, matrix products and triangular solves are split at
/// places that depend on their size only. (Large factorisations and eigenvalue problems run on the
/// threads of a loaded BLAS library, which may sum in another order on another number of them.)
///
/// The library's own variable, such as `OPENBLAS_NUM_THREADS`, is honoured: where it is set, so many
/// threads work on linear algebra, whatever this number is.
public enum Parallelism {
  /// The number of threads that work on one large operation, the calling thread included.
  ///
  /// Starts as the environment variable `ADJOINT_THREADS`, or the number of processors online.
  /// It holds for the BLAS library too, unless that has a variable of its own.
  ///
  /// - Precondition: A new value is at least 1.
  public static var threadCount: Int {
    get { current.load(ordering: .sequentiallyConsistent) }
    set {
      guard newValue >= 1 else {
        fatalError("Parallelism.threadCount must be at least 1, not \(newValue)")
      }
      current.store(newValue, ordering: .sequentiallyConsistent)
    }
  }

  /// Reads the variables `ADJOINT_THREADS` and `ADJOINT_BLAS`, and loads the library that the second
  /// names.
  ///
  /// What is wrong with them otherwise stops the program at the first operation that needs to know:
  /// a program checks them when it starts.
  ///
  /// - Throws: An `EnvironmentError` that names the variable and what it holds.
  public static func checkEnvironment() throws(EnvironmentError) {
    _ = try statedThreadCount()
    if environmentVariable("ADJOINT_BLAS") != nil { _ = try BLASLibrary.search.get() }
  }

  private static let current = Atomic<Int>(initialThreadCount())

  private static func initialThreadCount() -> Int {
    do throws(EnvironmentError) { return try statedThreadCount() ?? processorCount() } catch {
      fatalError(error.description)
    }
  }

  /// The value of `ADJOINT_THREADS`; nil where it is not set.
  static func statedThreadCount() throws(EnvironmentError) -> Int? {
    guard let text = environmentVariable("ADJOINT_THREADS") else { return nil }
    guard let count = Int(text), 1...largestThreadCount ~= count else {
      throw EnvironmentError(
        name: "ADJOINT_THREADS", value: text,
        reason: "which is not a whole number from 1 to \(largestThreadCount)")
    }
    return count
  }

  /// More threads than any machine has processors are a slip of the keyboard.
  private static let largestThreadCount = 4096

  private static func processorCount() -> Int {
    return max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
  }
}

/// A variable of the environment that Adjoint reads holds something it cannot use.
public struct EnvironmentError: Error, Equatable, CustomStringConvertible, Sendable {
  /// The name of the variable.
  public let name: String
  /// What it holds.
  public let value: String
  /// Why that cannot be used, and what to do, as a clause that starts with "which".
  public let reason: String

  /// The variable, its value, and what is wrong with it.
  public var description: String { "\(name) is \"\(value)\", \(reason)" }
}

/// The value of an environment variable; `nil` when unset or empty.
package func environmentVariable(_ name: String) -> String? {
  guard let value = getenv(name), value.pointee != 0 else { return nil }
  return String(cString: value)
}
