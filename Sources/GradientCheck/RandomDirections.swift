/// Vigna's SplitMix64: a small generator with the same numbers on every machine.
struct SplitMix64: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// Numbers of random sign with magnitudes in [1/2, 1).
  ///
  /// Every element counts about equally, so none can hide behind a small weight, and the signs are
  /// symmetric, so that errors of one sign do not accumulate into a wide tolerance. Rounded to
  /// single precision, to be exact in tensors of either type.
  mutating func signedWeights(_ count: Int) -> [Double] {
    (0..<count).map { _ in
      let bits = next()
      let magnitude = 0.5 + Double(bits >> 41) / Double(1 << 24)
      return bits & 1 == 0 ? magnitude : -magnitude
    }
  }

  /// A random direction of length 1.
  mutating func unitVector(_ count: Int) -> [Double] {
    let weights = signedWeights(count)
    let length = dot(weights, weights).squareRoot()
    return weights.map { $0 / length }
  }
}

func dot(_ a: [Double], _ b: [Double]) -> Double {
  zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
}

/// Σ |aᵢ bᵢ|: the size of the terms of a dot product, which its rounding error is proportional to.
func magnitudeOfDot(_ a: [Double], _ b: [Double]) -> Double {
  zip(a, b).reduce(0) { $0 + ($1.0 * $1.1).magnitude }
}
