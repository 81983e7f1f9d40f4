import Foundation
import Synchronization

/// The processes of the runs that go on, for the handler of a signal.
final class SpriteProcessIdentifiers: Sendable {
  private let identifiers = Mutex<Set<Int32>>([])

  func insert(_ identifier: Int32) {
    identifiers.withLock { _ = $0.insert(identifier) }
  }

  func remove(_ identifier: Int32) {
    identifiers.withLock { _ = $0.remove(identifier) }
  }

  /// Ends all at once, without a checkpoint.
  func kill() {
    identifiers.withLock { identifiers in
      for identifier in identifiers { _ = Foundation.kill(identifier, SIGKILL) }
    }
  }
}
