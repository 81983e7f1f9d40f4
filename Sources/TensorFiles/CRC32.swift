/// The cyclic redundancy check of ZIP, with the polynomial 0xEDB88320.
///
/// It notices every change of up to 32 neighbouring bits; it is no protection against malice. Eight
/// bytes at a time (Kounavis and Berry 2008, "Novel table lookup-based algorithms for
/// high-performance CRC generation").
package struct CRC32: Sendable {
  private var state: UInt32 = .max

  package init() {}

  /// The check of one piece of bytes.
  package init(_ bytes: [UInt8]) { update(bytes) }

  /// The check of all bytes so far.
  package var value: UInt32 { ~state }

  package mutating func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }

  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    state = Self.tables.withUnsafeBufferPointer { table in
      var crc = state
      var index = 0
      while index + 8 <= bytes.count {
        var word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self).littleEndian
        word ^= UInt64(crc)
        crc = 0
        for row in 0..<8 {
          crc ^= table[(7 - row) * 256 + Int(word & 0xFF)]
          word >>= 8
        }
        index += 8
      }
      while index < bytes.count {
        crc = table[Int(UInt8(truncatingIfNeeded: crc) ^ bytes[index])] ^ crc >> 8
        index += 1
      }
      return crc
    }
  }

  /// Eight tables of 256: the checks of a byte followed by 0, 1, …, 7 zero bytes.
  private static let tables: [UInt32] = {
    var tables: [UInt32] = (0..<256).map { byte in
      var crc = UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? 0xEDB8_8320 ^ (crc >> 1) : crc >> 1 }
      return crc
    }
    for index in 256..<2048 {
      let previous = tables[index - 256]
      tables.append(tables[Int(previous & 0xFF)] ^ previous >> 8)
    }
    return tables
  }()
}
