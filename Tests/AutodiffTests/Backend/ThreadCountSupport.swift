import Autodiff
import Synchronization

/// Held while a test needs a certain thread count, which is one setting of the whole process.
private let threadCountLock = Mutex<Void>(())

/// Runs `body` at a thread count and restores the old one; not to be nested.
func withThreadCount<Result>(_ count: Int, _ body: () throws -> Result) rethrows -> Result {
  try threadCountLock.withLock { _ in
    let old = Parallelism.threadCount
    Parallelism.threadCount = count
    defer { Parallelism.threadCount = old }
    return try body()
  }
}
