import Autodiff
import Foundation

/// Bits that must never change: they were computed by an independent program.
enum GoldenBits {
  /// Standard normals of seed 42, stream 7, from position 0.
  static let normals: [UInt64] = [
    0x3ff4_20fd_d4ad_2614, 0xbfdb_7c3b_c096_468e, 0xbfd4_5a72_98f2_8dbf, 0xbfee_0640_1d90_8540,
    0x3ff8_8c18_ca41_3acf, 0x3fed_d027_df41_cdbb, 0xbf91_6fae_0192_b02b, 0x4001_f91a_e2df_921c,
    0xbfee_d9e4_d91e_1dab, 0x3fee_11e5_c2a1_bb00, 0x3ff6_217e_5fcd_cd33, 0xbfc8_77af_074f_01d5,
  ]
  /// FNV-1a over words of 100,000 standard normals of seed 0x0123456789abcdef, stream 5, position 3.
  static let normalHash: UInt64 = 0xaef4_4429_348f_2223
  /// First output of the child 0xdeadbeef01234567 of seed 42.
  static let child: UInt64 = 0xb4b3_1174_e882_1560
}

/// FNV-1a, a word at a time.
func hash(_ values: [Double]) -> UInt64 {
  values.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ $1.bitPattern) &* 0x100_0000_01b3 }
}

/// An array that `fill` has filled.
func filled<Element: Numeric>(
  _ count: Int, _ fill: (UnsafeMutableBufferPointer<Element>) -> Void
) -> [Element] {
  [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
    buffer.initialize(repeating: 0)
    fill(UnsafeMutableBufferPointer(rebasing: buffer[0..<count]))
    initialized = count
  }
}

func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

func standardDeviation(_ values: [Double]) -> Double {
  let center = mean(values)
  return mean(values.map { ($0 - center) * ($0 - center) }).squareRoot()
}

/// √n times the Kolmogorov–Smirnov distance to a distribution function; above 1.95 once in 1000.
func kolmogorovSmirnov(_ values: [Double], _ distribution: (Double) -> Double) -> Double {
  let sorted = values.sorted()
  let n = Double(sorted.count)
  var distance = 0.0
  for (i, x) in sorted.enumerated() {
    let f = distribution(x)
    distance = max(distance, f - Double(i) / n, Double(i + 1) / n - f)
  }
  return distance * n.squareRoot()
}

func normalDistribution(_ x: Double) -> Double { erfc(-x / 2.0.squareRoot()) / 2 }

/// Pearson's statistic against equal or given probabilities, in standard deviations above its mean.
func chiSquare(_ counts: [Int], probabilities: [Double]? = nil) -> Double {
  let total = Double(counts.reduce(0, +))
  var statistic = 0.0
  for (i, count) in counts.enumerated() {
    let expected = total * (probabilities?[i] ?? 1 / Double(counts.count))
    statistic += (Double(count) - expected) * (Double(count) - expected) / expected
  }
  let degrees = Double(counts.count - 1)
  return (statistic - degrees) / (2 * degrees).squareRoot()
}
