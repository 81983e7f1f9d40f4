/// The bytes of a tensor: written once by the operation that makes it, then shared and immutable.
///
/// Small buffers lie in the object itself, one allocation each. Large ones come from `BufferPool`,
/// because a fresh page costs more than the arithmetic on it.
package final class Storage: ManagedBuffer<Storage.Header, UInt64> {
  package struct Header {
    let pointer: UnsafeMutableRawPointer?
    let byteCount: Int
  }

  /// Buffers from this size up are pooled.
  private static var pooledByteCount: Int { 32 * 1024 }

  /// Uninitialised bytes.
  static func allocate(byteCount: Int) -> Storage {
    let isPooled = byteCount >= pooledByteCount
    let buffer = create(minimumCapacity: isPooled ? 0 : (byteCount + 7) / 8) { _ in
      Header(
        pointer: isPooled ? BufferPool.shared.take(byteCount: byteCount) : nil,
        byteCount: byteCount)
    }
    return unsafeDowncast(buffer, to: Storage.self)
  }

  /// The storage of tensors that have a shape and no values.
  nonisolated(unsafe) static let absent = Storage.allocate(byteCount: 0)

  package var bytes: UnsafeMutableRawPointer {
    withUnsafeMutablePointers { header, elements in
      header.pointee.pointer ?? UnsafeMutableRawPointer(elements)
    }
  }

  package var byteCount: Int { header.byteCount }

  deinit {
    withUnsafeMutablePointerToHeader { header in
      if let pointer = header.pointee.pointer {
        BufferPool.shared.give(pointer, byteCount: header.pointee.byteCount)
      }
    }
  }
}
