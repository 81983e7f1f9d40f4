/// Uniform and normal numbers in bulk.
///
/// Element i of a fill is a pure function of (seed, stream, position + i), and every fill of n elements
/// moves the generator on by exactly n; so one fill of a + b elements equals a fill of a followed by
/// one of b, and threads share the work. A float32 fill rounds what a float64 fill would give (a
/// uniform one rounds down). Ill-formed arguments stop the program.
extension PhiloxGenerator {
  /// Elements per chunk of work: some tens of microseconds.
  static var grain: Int { 4096 }

  /// Fills with numbers uniform on [lower, upper): lower + (upper - lower) u, u of 53 random bits.
  package mutating func fillUniform(
    _ buffer: UnsafeMutableBufferPointer<Double>, from lower: Double, to upper: Double
  ) {
    let width = upper - lower
    guard lower < upper, width.isFinite else {
      fatalError("a uniform distribution needs finite bounds in order, not \(lower) and \(upper)")
    }
    let last = upper.nextDown
    fill(buffer) { min(lower + width * Self.unit($0), last) }
  }

  /// Fills with numbers uniform on [lower, upper): lower + (upper - lower) u, u of 24 random bits.
  package mutating func fillUniform(
    _ buffer: UnsafeMutableBufferPointer<Float>, from lower: Float, to upper: Float
  ) {
    let width = upper - lower
    guard lower < upper, width.isFinite else {
      fatalError("a uniform distribution needs finite bounds in order, not \(lower) and \(upper)")
    }
    let last = upper.nextDown
    fill(buffer) { min(lower + width * (Float($0 >> 40) * 0x1p-24), last) }
  }

  /// Fills with mean + standardDeviation · Φ⁻¹(u), u of 52 random bits, so within 8.21 deviations.
  package mutating func fillNormal(
    _ buffer: UnsafeMutableBufferPointer<Double>, mean: Double = 0, standardDeviation: Double = 1
  ) {
    fill(buffer) { mean + standardDeviation * Self.normal($0) }
  }

  /// Fills with the float32 nearest to what the float64 fill gives.
  package mutating func fillNormal(
    _ buffer: UnsafeMutableBufferPointer<Float>, mean: Float = 0, standardDeviation: Float = 1
  ) {
    let mean = Double(mean)
    let standardDeviation = Double(standardDeviation)
    fill(buffer) { Float(mean + standardDeviation * Self.normal($0)) }
  }

  /// A multiple of 2⁻⁵³ in [0, 1).
  @inline(__always)
  static func unit(_ word: UInt64) -> Double { Double(word >> 11) * 0x1p-53 }

  /// An odd multiple of 2⁻⁵³ in (0, 1), so neither end is reached.
  @inline(__always)
  static func openUnit(_ word: UInt64) -> Double { (Double(word >> 12) + 0.5) * 0x1p-52 }

  /// A standard normal number by inversion.
  @inline(__always)
  static func normal(_ word: UInt64) -> Double { DeterministicMath.normalQuantile(openUnit(word)) }

  /// Fills element i with a function of output number position + i.
  @inline(__always)
  private mutating func fill<Element>(
    _ buffer: UnsafeMutableBufferPointer<Element>, _ element: (UInt64) -> Element
  ) {
    let generator = self
    parallelFor(count: buffer.count, grain: Self.grain) { range in
      var i = range.lowerBound
      var p = generator.position &+ UInt64(i)
      if p & 1 == 1 {
        buffer[i] = element(generator.word(at: p))
        i += 1
        p &+= 1
      }
      while i + 1 < range.upperBound {
        let words = generator.wordPair(at: p >> 1)
        buffer[i] = element(words.0)
        buffer[i + 1] = element(words.1)
        i += 2
        p &+= 2
      }
      if i < range.upperBound { buffer[i] = element(generator.word(at: p)) }
    }
    skip(ahead: UInt64(buffer.count))
  }

  /// Fills element i with a function of position + i, which may ask for as many words as it needs.
  @inline(__always)
  mutating func fillByPosition<Element>(
    _ buffer: UnsafeMutableBufferPointer<Element>, _ element: (PhiloxGenerator, UInt64) -> Element
  ) {
    let generator = self
    parallelFor(count: buffer.count, grain: Self.grain) { range in
      for i in range { buffer[i] = element(generator, generator.position &+ UInt64(i)) }
    }
    skip(ahead: UInt64(buffer.count))
  }
}
