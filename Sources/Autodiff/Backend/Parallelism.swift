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
/// Results do not depend on this number: loops are split at places that depend on their size only.
/// (A loaded BLAS library may still sum in a different order on a different number of threads.)
public enum Parallelism {
  /// The number of threads that work on one large operation, the calling thread included.
  ///
  /// Starts as the environment variable `ADJOINT_THREADS`, or the number of processors online.
  /// Setting it also sets the thread count of the BLAS library in use.
  ///
  /// - Precondition: A new value is at least 1.
  public static var threadCount: Int {
    get { current.load(ordering: .sequentiallyConsistent) }
    set {
      guard newValue >= 1 else {
        fatalError("Parallelism.threadCount must be at least 1, not \(newValue)")
      }
      current.store(newValue, ordering: .sequentiallyConsistent)
      BLASLibrary.threadCountDidChange(to: newValue)
    }
  }

  private static let current = Atomic<Int>(initialThreadCount())

  private static func initialThreadCount() -> Int {
    guard let text = environmentVariable("ADJOINT_THREADS") else { return processorCount() }
    guard let count = Int(text), count >= 1 else {
      fatalError("ADJOINT_THREADS is \"\(text)\"; it must be a whole number of at least 1")
    }
    return count
  }

  private static func processorCount() -> Int {
    return max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
  }
}

/// The value of an environment variable; `nil` when unset or empty.
package func environmentVariable(_ name: String) -> String? {
  guard let value = getenv(name), value.pointee != 0 else { return nil }
  return String(cString: value)
}
