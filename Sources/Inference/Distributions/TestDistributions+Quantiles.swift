extension TestDistributions {
  /// The value below which a χ² variable lies with probability `p`; NaN unless 0 ≤ p ≤ 1.
  public static func chiSquaredQuantile(_ p: Double, degrees: Double) -> Double {
    guard degrees > 0, p >= 0, p <= 1 else { return .nan }
    return quantile(
      p, lower: { chiSquaredLowerTail($0, degrees: degrees) },
      upper: { chiSquaredUpperTail($0, degrees: degrees) })
  }

  /// The value below which an F variable lies with probability `p`; NaN unless 0 ≤ p ≤ 1.
  public static func fQuantile(_ p: Double, numerator: Double, denominator: Double) -> Double {
    guard numerator > 0, denominator > 0, p >= 0, p <= 1 else { return .nan }
    return quantile(
      p, lower: { fUpperTail(1 / $0, numerator: denominator, denominator: numerator) },
      upper: { fUpperTail($0, numerator: numerator, denominator: denominator) })
  }

  /// The value below which a Student variable lies with probability `p`; NaN unless 0 ≤ p ≤ 1.
  public static func studentQuantile(_ p: Double, degrees: Double) -> Double {
    guard degrees > 0, p >= 0, p <= 1 else { return .nan }
    // |t| is the root of an F variable; its tail is known exactly where 2p or 1 - 2p is.
    let tail = 2 * min(p, 1 - p)
    let magnitude = quantile(
      1 - tail, complement: tail,
      lower: { fUpperTail(1 / $0 / $0, numerator: degrees, denominator: 1) },
      upper: { studentTwoSided($0, degrees: degrees) })
    return p < 0.5 ? -magnitude : magnitude
  }

  /// The smallest x ≥ 0 whose tails are on the far side of p, to the last bit.
  ///
  /// The smaller of the two tails decides, so that it counts relative to itself. Non-negative
  /// numbers are ordered as their bit patterns, so 63 bisections reach neighbours anywhere.
  private static func quantile(
    _ p: Double, complement: Double? = nil, lower: (Double) -> Double, upper: (Double) -> Double
  ) -> Double {
    let complement = complement ?? 1 - p
    if p <= 0 { return 0 }
    if complement <= 0 { return .infinity }
    var below: UInt64 = 0
    var above = Double.infinity.bitPattern
    while above - below > 1 {
      let middle = below + (above - below) / 2
      let x = Double(bitPattern: middle)
      let isAbove = p < complement ? lower(x) >= p : upper(x) <= complement
      if isAbove { above = middle } else { below = middle }
    }
    return Double(bitPattern: above)
  }
}
