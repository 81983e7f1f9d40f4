import TensorFiles
import TestSupport
import Testing

@Suite("CRC-32") struct CRC32Tests {
  /// The definition: division of polynomials, bit by bit.
  private func reference(_ bytes: [UInt8]) -> UInt32 {
    var crc = UInt32.max
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? 0xEDB8_8320 ^ (crc >> 1) : crc >> 1 }
    }
    return ~crc
  }

  @Test("Agrees with the definition") func agreesWithTheDefinition() {
    #expect(CRC32(Array("123456789".utf8)).value == 0xCBF4_3926)
    var generator = SplitMix64(seed: 1)
    for count in 0..<100 {
      let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
      #expect(CRC32(bytes).value == reference(bytes))
      let middle = Int.random(in: 0...count, using: &generator)
      var pieces = CRC32(Array(bytes[..<middle]))
      pieces.update(Array(bytes[middle...]))
      #expect(pieces.value == reference(bytes))
    }
  }
}
