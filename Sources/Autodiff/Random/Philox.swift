/// A counter-based random number generator: Philox4x32-10 of Salmon, Moraes, Dror and Shaw, Parallel
/// Random Numbers: As Easy as 1, 2, 3 (2011).
///
/// Output number p is a pure function of (seed, stream, p). So buffers can be filled by any number of
/// threads with the same result, a generator can jump ahead in constant time, and the bits are the
/// same on every machine.
///
///     var generator = PhiloxGenerator(seed: 42)
///     let x = Double.random(in: 0..<1, using: &generator)
///     let fold = generator.split(key: 3)     // independent, whatever happens to `generator`
///
/// **Independence.** Philox maps a 128-bit counter to a 128-bit block under a 64-bit key. The seed is
/// the key; the stream is the upper half of the counter, the position part of the lower half. Two
/// generators thus share an output block only if seed and stream agree in all 128 bits. `split`
/// derives these bits by Philox itself from counters set apart for that purpose, so children of
/// distinct keys behave as independent random 128-bit labels: among n generators the chance
/// of any two coinciding is below n² / 2¹²⁹. That the outputs of distinct labels look independent is
/// the property Philox was designed and tested for (it passes BigCrush within and across keys and
/// counters that differ in one bit).
///
/// A stream holds 2⁴⁸ outputs, then repeats.
public struct PhiloxGenerator: RandomNumberGenerator, Sendable {
  /// One counter value or output block: four 32-bit words.
  public typealias Block = (UInt32, UInt32, UInt32, UInt32)

  /// The Philox key, which all generators of one seed share.
  public let seed: UInt64
  /// Which of the sequences of this seed.
  public let stream: UInt64
  /// How many 64-bit outputs lie before the next one, from 0 to 2⁴⁸ - 1.
  public private(set) var position: UInt64 = 0

  /// Creates a generator at the start of a stream.
  public init(seed: UInt64, stream: UInt64 = 0) {
    self.seed = seed
    self.stream = stream
  }

  /// Returns 64 random bits and moves on by one.
  public mutating func next() -> UInt64 {
    let result = word(at: position)
    skip(ahead: 1)
    return result
  }

  /// Moves on by `count` outputs, in constant time.
  public mutating func skip(ahead count: UInt64) {
    position = (position &+ count) & Self.positionMask
  }

  // MARK: Splitting

  /// A child generator named by `key`: a pure function of (seed, stream, key).
  ///
  /// Independent of this generator, of its position, and of children of other keys.
  public func split(key: UInt64) -> PhiloxGenerator {
    child(of: key, purpose: 0)
  }

  /// A new child generator, different at every call; moves on by one.
  ///
  /// The child is a pure function of (seed, stream, position) and differs from all of `split(key:)`.
  public mutating func split() -> PhiloxGenerator {
    defer { skip(ahead: 1) }
    return child(of: position, purpose: 1)
  }

  /// `count` new child generators, as that many calls of `split()` give.
  public mutating func split(into count: Int) -> [PhiloxGenerator] {
    (0..<count).map { _ in split() }
  }

  /// The first block is a bijection of the low key word, the second mixes the high word in.
  private func child(of key: UInt64, purpose: UInt32) -> PhiloxGenerator {
    let reserved = UInt32(Self.splitDomain) << 16 | purpose
    let a = Self.block(
      counter: (UInt32(truncatingIfNeeded: key), reserved, stream.low, stream.high),
      key: (seed.low, seed.high))
    let b = Self.block(
      counter: (UInt32(truncatingIfNeeded: key >> 32), reserved, a.2, a.3), key: (a.0, a.1))
    return PhiloxGenerator(
      seed: UInt64(high: b.1, low: b.0), stream: UInt64(high: b.3, low: b.2))
  }

  // MARK: Random access

  /// Positions are 48 bits of the lower half of the counter; the domain above them is 0 for the
  /// sequence itself, 1 to 65,534 for further attempts of an element that rejects, 65,535 for splits.
  private static let positionMask: UInt64 = 1 << 48 - 1
  private static let splitDomain: UInt64 = 0xffff

  /// The largest attempt `words(at:attempt:)` accepts.
  static let maximumAttempt: UInt64 = splitDomain - 1

  /// Output number `position` of this stream; outputs 2i and 2i + 1 are the halves of block i.
  @inline(__always)
  func word(at position: UInt64) -> UInt64 {
    let words = wordPair(at: position >> 1)
    return position & 1 == 0 ? words.0 : words.1
  }

  /// Outputs 2i and 2i + 1.
  @inline(__always)
  func wordPair(at i: UInt64) -> (UInt64, UInt64) { words(index: i, domain: 0) }

  /// Two words for attempt 1, 2, … of the element at `position`, used for nothing else.
  @inline(__always)
  func words(at position: UInt64, attempt: UInt64) -> (UInt64, UInt64) {
    words(index: position, domain: attempt)
  }

  @inline(__always)
  private func words(index: UInt64, domain: UInt64) -> (UInt64, UInt64) {
    let lower = index & Self.positionMask | domain << 48
    let block = Self.block(
      counter: (lower.low, lower.high, stream.low, stream.high), key: (seed.low, seed.high))
    return (UInt64(high: block.1, low: block.0), UInt64(high: block.3, low: block.2))
  }

  /// The Philox4x32-10 bijection of `counter` under `key`.
  @inline(__always)
  public static func block(counter: Block, key: (UInt32, UInt32)) -> Block {
    var c = counter
    var k = key
    for _ in 0..<10 {
      let p0 = UInt64(c.0) &* 0xd251_1f53
      let p1 = UInt64(c.2) &* 0xcd9e_8d57
      c = (p1.high ^ c.1 ^ k.0, p1.low, p0.high ^ c.3 ^ k.1, p0.low)
      k = (k.0 &+ 0x9e37_79b9, k.1 &+ 0xbb67_ae85)
    }
    return c
  }
}

extension UInt64 {
  @inline(__always) fileprivate init(high: UInt32, low: UInt32) {
    self = UInt64(high) << 32 | UInt64(low)
  }
  @inline(__always) fileprivate var low: UInt32 { UInt32(truncatingIfNeeded: self) }
  @inline(__always) fileprivate var high: UInt32 { UInt32(truncatingIfNeeded: self >> 32) }
}
