import Synchronization

/// What is known about types: a table that only grows and is read without a lock, in one probe.
///
/// A visit of a tree asks it once for every part.
final class TypeTable<Value: AnyObject & Sendable>: Sendable {
  /// The address of the slots.
  private let current: Atomic<UInt>
  private let count = Mutex(0)

  /// Open addressing in memory that is never freed, because readers may still be in it.
  private struct Slots {
    let start: UnsafeRawPointer

    init(start: UnsafeRawPointer) { self.start = start }

    init(_ current: borrowing Atomic<UInt>) {
      guard let start = UnsafeRawPointer(bitPattern: current.load(ordering: .acquiring)) else {
        stop("TypeTable", "has no slots")
      }
      self.start = start
    }

    private static var stride: Int { 2 * MemoryLayout<Atomic<UInt>>.stride }

    var capacity: Int { start.load(as: Int.self) }

    static func make(capacity: Int) -> Slots {
      let start = UnsafeMutableRawPointer.allocate(
        byteCount: (capacity + 1) * stride, alignment: stride)
      start.initializeMemory(as: UInt.self, repeating: 0, count: 2 * (capacity + 1))
      start.storeBytes(of: capacity, as: Int.self)
      return Slots(start: start)
    }

    private func word(_ slot: Int, _ part: Int) -> UnsafePointer<Atomic<UInt>> {
      (start + (slot + 1) * Self.stride).assumingMemoryBound(to: Atomic<UInt>.self) + part
    }

    /// The value of a key, and where it is or belongs.
    func find(_ key: UInt) -> (value: UInt, slot: Int) {
      // Metadata are aligned to 8 or 16 bytes; a multiplication spreads what differs.
      let mask = capacity - 1
      var slot = Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 32) & mask
      while true {
        switch word(slot, 0).pointee.load(ordering: .acquiring) {
        case key: return (word(slot, 1).pointee.load(ordering: .relaxed), slot)
        case 0: return (0, slot)
        default: slot = (slot + 1) & mask
        }
      }
    }

    /// Makes a value visible; the key last, for readers without a lock.
    func insert(_ key: UInt, _ value: UInt) {
      let slot = find(key).slot
      word(slot, 1).pointee.store(value, ordering: .relaxed)
      word(slot, 0).pointee.store(key, ordering: .releasing)
    }

    /// Sets the lowest bit of a value, which a pointer leaves free.
    func mark(_ key: UInt) {
      let (value, slot) = find(key)
      if value != 0 { word(slot, 1).pointee.store(value | 1, ordering: .relaxed) }
    }

    /// A table of twice the size with the same entries.
    func doubled() -> Slots {
      let larger = Slots.make(capacity: 2 * capacity)
      for slot in 0..<capacity {
        let key = word(slot, 0).pointee.load(ordering: .relaxed)
        if key != 0 { larger.insert(key, word(slot, 1).pointee.load(ordering: .relaxed)) }
      }
      return larger
    }
  }

  init() { current = Atomic(UInt(bitPattern: Slots.make(capacity: 256).start)) }

  private func word(for type: Any.Type) -> UInt {
    let slots = Slots(current)
    return slots.find(unsafeBitCast(type, to: UInt.self)).value
  }

  /// Whether a type was marked.
  func isMarked(_ type: Any.Type) -> Bool { word(for: type) & 1 == 1 }

  /// Marks a type that has a value.
  func mark(_ type: Any.Type) {
    count.withLock { _ in
      let slots = Slots(current)
      slots.mark(unsafeBitCast(type, to: UInt.self))
    }
  }

  /// What is known about a type.
  subscript(type: Any.Type) -> Value? {
    UnsafeRawPointer(bitPattern: word(for: type) & ~1).map {
      Unmanaged<Value>.fromOpaque($0).takeUnretainedValue()
    }
  }

  /// What is known about a type, from now on the first value that was made for it.
  func value(for type: Any.Type, orMake make: () -> Value) -> Value {
    if let known = self[type] { return known }
    let new = make()
    return count.withLock { count in
      // Another thread may have been faster.
      if let known = self[type] { return known }
      var slots = Slots(current)
      if 2 * (count + 1) > slots.capacity {
        slots = slots.doubled()
        current.store(UInt(bitPattern: slots.start), ordering: .releasing)
      }
      let pointer = UInt(bitPattern: Unmanaged.passRetained(new).toOpaque())
      slots.insert(unsafeBitCast(type, to: UInt.self), pointer)
      count += 1
      return new
    }
  }
}
