import Autodiff

/// The identity of a set of independent units.
///
/// Estimates from the same units are dependent, estimates from different units are not; arithmetic
/// of estimates tells the two apart by this identity alone. So make it from everything that makes
/// the sample what it is: its data, or a name that no other sample has.
public struct SampleIdentity: Hashable, Sendable, CustomStringConvertible {
  private var high: UInt64
  private var low: UInt64

  /// The identity of a sample given by its data.
  ///
  /// Two 64-bit hashes of scalar types, shapes and bytes, the same in every process and on every
  /// machine; two different samples agree with a chance of about 2⁻¹²⁸.
  ///
  /// - Parameter tensors: All tensors of the sample, in a fixed order.
  public init(fingerprint tensors: [Tensor]) {
    self.init(domain: 1)
    for tensor in tensors {
      absorb(Array(tensor.scalarType.description.utf8))
      absorb(UInt64(tensor.rank))
      for size in tensor.shape { absorb(UInt64(size)) }
      withExtendedLifetime(tensor) {
        let count = tensor.elementCount * tensor.scalarType.byteCount
        absorb(UnsafeRawBufferPointer(start: tensor.bytes, count: count))
      }
    }
  }

  /// The identity of a sample given by a name.
  public init(name: String) {
    self.init(domain: 2)
    absorb(Array(name.utf8))
  }

  /// The identity as 32 hexadecimal digits.
  public var description: String {
    [high, low].map { word in
      let digits = String(word, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }

  // MARK: Hashing

  private init(domain: UInt64) {
    high = 0x243f_6a88_85a3_08d3 ^ domain
    low = 0x1319_8a2e_0370_7344 ^ domain
  }

  private mutating func absorb(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes { absorb($0) }
  }

  /// The length goes first, so that no two sequences of buffers give the same words.
  private mutating func absorb(_ bytes: UnsafeRawBufferPointer) {
    absorb(UInt64(bytes.count))
    var offset = 0
    while offset + 8 <= bytes.count {
      let word = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      absorb(UInt64(littleEndian: word))
      offset += 8
    }
    if offset < bytes.count {
      absorb(bytes[offset...].reversed().reduce(0) { $0 << 8 | UInt64($1) })
    }
  }

  /// Two different bijections of the word for every state, those that finish SplitMix64 (Steele,
  /// Lea and Flood 2014) and MurmurHash3 (Appleby 2011).
  private mutating func absorb(_ word: UInt64) {
    high = (high &+ 0x9e37_79b9_7f4a_7c15) ^ word
    high = (high ^ high >> 30) &* 0xbf58_476d_1ce4_e5b9
    high = (high ^ high >> 27) &* 0x94d0_49bb_1331_11eb
    high ^= high >> 31
    low = (low ^ low << 1 ^ 0x9e37_79b9_7f4a_7c15) &+ word
    low = (low ^ low >> 33) &* 0xff51_afd7_ed55_8ccd
    low = (low ^ low >> 33) &* 0xc4ce_b9fe_1a85_ec53
    low ^= low >> 33
  }
}
