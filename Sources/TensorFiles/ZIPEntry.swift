/// A member of a ZIP archive, as its directory describes it.
struct ZIPEntry: Sendable {
  let name: String
  let flags: UInt16
  let isDeflated: Bool
  let checksum: UInt32
  let compressedByteCount: Int
  let byteCount: Int
  /// Where its local header lies.
  let headerOffset: Int
  /// Where its data lie; known once the local header was read.
  var dataOffset = 0

  var dataEnd: Int { dataOffset + compressedByteCount }

  /// Whether the sizes and the check follow the data, and are zero in the local header.
  var hasDescriptor: Bool { flags & 0x8 != 0 }
}

/// Numbers of a ZIP record, least significant byte first.
struct ZIPRecord {
  let bytes: [UInt8]

  /// The number in `count` bytes from an offset, or nil beyond the end.
  func number(at offset: Int, _ count: Int) -> UInt64? {
    guard offset >= 0, offset + count <= bytes.count else { return nil }
    return (0..<count).reduce(0) { $0 | UInt64(bytes[offset + $1]) << UInt64(8 * $1) }
  }

  func uint16(_ offset: Int) -> Int { Int(number(at: offset, 2) ?? 0) }
  func uint32(_ offset: Int) -> Int { Int(number(at: offset, 4) ?? 0) }
  /// A number that does not fit `Int` is larger than any file, as `Int.max` is.
  func uint64(_ offset: Int) -> Int { Int(clamping: number(at: offset, 8) ?? 0) }

  /// Replaces the numbers that did not fit 32 bits by those of the ZIP64 field, in its order; nil if
  /// it lacks one.
  func resolving(_ numbers: [Int], extra: Range<Int>) -> [Int]? {
    guard numbers.contains(0xFFFF_FFFF) else { return numbers }
    var offset = extra.lowerBound
    while offset + 4 <= extra.upperBound {
      let (kind, size) = (uint16(offset), uint16(offset + 2))
      offset += 4
      guard offset + size <= extra.upperBound else { return nil }
      if kind == 1 {
        var used = 0
        var result = numbers
        for index in numbers.indices where numbers[index] == 0xFFFF_FFFF {
          guard used + 8 <= size else { return nil }
          result[index] = uint64(offset + used)
          used += 8
        }
        return result
      }
      offset += size
    }
    return nil
  }
}
