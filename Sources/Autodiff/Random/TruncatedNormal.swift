/// The normal distribution restricted to an interval.
///
/// By rejection with the proposals of Robert, Simulation of truncated normal variables (1995), so that
/// every interval works, however far in a tail, and nearly half of the proposals or more are accepted.
struct TruncatedNormal: Sendable {
  private enum Proposal {
    case normal
    case uniform
    case exponential
  }

  private let mean: Double
  private let standardDeviation: Double
  private let bounds: ClosedRange<Double>
  /// The interval in standard units, mirrored if need be so that its upper end is not below 0.
  private let lower: Double
  private let upper: Double
  private let isMirrored: Bool
  private let proposal: Proposal
  /// Rate of the exponential proposal: (lower + √(lower² + 4)) / 2.
  private let rate: Double

  init(mean: Double, standardDeviation: Double, lower: Double, upper: Double) {
    guard mean.isFinite, standardDeviation > 0, standardDeviation.isFinite,
      lower <= upper, lower < .infinity, upper > -.infinity
    else {
      fatalError(
        "a truncated normal distribution needs a finite mean, a positive standard deviation and "
          + "bounds in order, not mean \(mean), standard deviation \(standardDeviation), "
          + "bounds \(lower) and \(upper)")
    }
    self.mean = mean
    self.standardDeviation = standardDeviation
    bounds = lower...upper
    let a = (lower - mean) / standardDeviation
    let b = (upper - mean) / standardDeviation
    isMirrored = b < 0
    self.lower = isMirrored ? -b : a
    self.upper = isMirrored ? -a : b
    let width = self.upper - self.lower
    rate = (self.lower + (self.lower * self.lower + 4).squareRoot()) / 2
    if self.lower > 0 {
      proposal = rate * width < 2 ? .uniform : .exponential
    } else {
      proposal = width < 2.5 ? .uniform : .normal  // 2.5: about √(2π), where both accept alike
    }
  }

  /// The element at `position` of the generator's stream.
  func sample(_ generator: PhiloxGenerator, at position: UInt64) -> Double {
    for attempt in 1...PhiloxGenerator.maximumAttempt {
      let words = generator.words(at: position, attempt: attempt)
      guard let z = attemptStandard(words) else { continue }
      let x = mean + standardDeviation * (isMirrored ? -z : z)
      return min(max(x, bounds.lowerBound), bounds.upperBound)
    }
    // More than 60,000 rejections in a row at even odds: not in the lifetime of the universe.
    fatalError("the truncated normal sampler rejected every proposal")
  }

  /// A number from the standard interval, or `nil` when the proposal is rejected.
  ///
  /// A proposal z of density g is accepted with probability exp(-z²/2) / (M g(z)), which is compared
  /// in logarithms, with squares of differences written as products to keep their digits.
  private func attemptStandard(_ words: (UInt64, UInt64)) -> Double? {
    let u = PhiloxGenerator.openUnit(words.0)
    let logAcceptance: Double
    let z: Double
    switch proposal {
    case .normal:
      z = DeterministicMath.normalQuantile(u)
      return z >= lower && z <= upper ? z : nil
    case .uniform:
      z = lower + (upper - lower) * u
      let mode = max(lower, 0)
      logAcceptance = (mode - z) * (mode + z) / 2
    case .exponential:
      let excess = -DeterministicMath.log(u) / rate
      z = lower + excess
      if z > upper { return nil }
      let distance = excess - 1 / rate  // z - rate, as rate - lower = 1 / rate
      logAcceptance = -distance * distance / 2
    }
    let accepted = DeterministicMath.log(PhiloxGenerator.openUnit(words.1)) <= logAcceptance
    return accepted ? z : nil
  }
}

extension PhiloxGenerator {
  /// Fills with N(mean, standardDeviation²) restricted to [lower, upper]; either bound may be infinite.
  ///
  /// Element i is a pure function of (seed, stream, position + i); moves on by the number of elements.
  package mutating func fillTruncatedNormal(
    _ buffer: UnsafeMutableBufferPointer<Double>, mean: Double = 0, standardDeviation: Double = 1,
    from lower: Double, to upper: Double
  ) {
    let distribution = TruncatedNormal(
      mean: mean, standardDeviation: standardDeviation, lower: lower, upper: upper)
    fillByPosition(buffer) { distribution.sample($0, at: $1) }
  }

  /// Fills with the float32 nearest to what the float64 fill gives.
  package mutating func fillTruncatedNormal(
    _ buffer: UnsafeMutableBufferPointer<Float>, mean: Float = 0, standardDeviation: Float = 1,
    from lower: Float, to upper: Float
  ) {
    let distribution = TruncatedNormal(
      mean: Double(mean), standardDeviation: Double(standardDeviation),
      lower: Double(lower), upper: Double(upper))
    fillByPosition(buffer) { Float(distribution.sample($0, at: $1)) }
  }
}
