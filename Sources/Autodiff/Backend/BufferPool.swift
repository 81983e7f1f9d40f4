import Synchronization

/// The memory that tensors have used and that waits for reuse, at most 1 GiB.
public enum TensorMemory {
  /// The bytes that wait.
  public static var cachedByteCount: Int { BufferPool.shared.cachedByteCount }

  /// Returns them to the system: after a phase that needed much more memory than the next.
  public static func releaseCached() { BufferPool.shared.drain() }
}

/// A free list of large buffers by size class, above the system's allocator.
///
/// Training makes tensors of the same few sizes again and again; without the list each of them is
/// mapped, page-faulted and unmapped by the system. Size classes are four to the octave, so at most
/// a fifth of a buffer is unused. Cached bytes are bounded by `capacity`.
package final class BufferPool: Sendable {
  package static let shared = BufferPool(capacity: 1 << 30)

  private struct State: @unchecked Sendable {
    var free: [Int: [UnsafeMutableRawPointer]] = [:]
    var cachedByteCount = 0
  }

  private let capacity: Int
  private let state = Mutex(State())

  package init(capacity: Int) { self.capacity = capacity }

  /// The bytes that wait for reuse.
  package var cachedByteCount: Int { state.withLock { $0.cachedByteCount } }

  /// Rounds up to the next size class: 4, 5, 6 or 7 times a power of two.
  static func roundedByteCount(_ byteCount: Int) -> Int {
    let step = 1 << max(6, Int.bitWidth - 1 - byteCount.leadingZeroBitCount - 2)
    return (byteCount + step - 1) / step * step
  }

  package func take(byteCount: Int) -> UnsafeMutableRawPointer {
    let rounded = Self.roundedByteCount(byteCount)
    let cached: UnsafeMutableRawPointer? = state.withLock { state in
      guard let pointer = state.free[rounded]?.popLast() else { return nil }
      state.cachedByteCount -= rounded
      return pointer
    }
    return cached ?? .allocate(byteCount: rounded, alignment: 64)
  }

  package func give(_ pointer: UnsafeMutableRawPointer, byteCount: Int) {
    let rounded = Self.roundedByteCount(byteCount)
    let isKept = state.withLock { state in
      guard state.cachedByteCount + rounded <= capacity else { return false }
      state.free[rounded, default: []].append(pointer)
      state.cachedByteCount += rounded
      return true
    }
    if !isKept { pointer.deallocate() }
  }

  /// Returns all waiting buffers to the system.
  package func drain() {
    let pointers = state.withLock { state in
      defer { state = State() }
      return state.free.values.flatMap { $0 }
    }
    for pointer in pointers { pointer.deallocate() }
  }
}
