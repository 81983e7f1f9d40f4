import Autodiff
import Foundation
import Testing

@Suite("Truncated normal numbers") struct TruncatedNormalTests {
  let n = 50_000

  func draw(_ lower: Double, _ upper: Double, seed: UInt64 = 1) -> [Double] {
    var generator = PhiloxGenerator(seed: seed)
    let x: [Double] = filled(n) { generator.fillTruncatedNormal($0, from: lower, to: upper) }
    #expect(generator.position == UInt64(n))
    #expect(x.allSatisfy { $0 >= lower && $0 <= upper })
    return x
  }

  /// Intervals that use each of the proposals, mirrored and not.
  @Test(
    "Truncated normal numbers have their distribution",
    arguments: [
      (-1.0, 2.0), (0, 2.6), (-0.5, 1), (0.5, 9), (0.5, .infinity), (-3, -1), (-.infinity, -1.5),
      (-.infinity, 0), (-.infinity, .infinity), (3, 3.2), (3, 5), (-8, 8),
    ])
  func distribution(_ lower: Double, _ upper: Double) {
    let x = draw(lower, upper)
    // In the tail on the side of the interval, where the distribution function keeps its digits.
    let sign = lower > 0 ? -1.0 : 1
    let ends = lower > 0 ? (-upper, -lower) : (lower, upper)
    let total = normalDistribution(ends.1) - normalDistribution(ends.0)
    let statistic = kolmogorovSmirnov(x.map { sign * $0 }) {
      (normalDistribution($0) - normalDistribution(ends.0)) / total
    }
    #expect(statistic < 1.95)
  }

  /// Means and standard deviations by quadrature with 40 digits.
  @Test(
    "Truncation to the far tail",
    arguments: [
      (10.0, Double.infinity, 10.098093233962512, 0.097187333668828785),
      (40, .infinity, 40.024968847207264, 0.024953323998846101),
      (5, 5.1, 5.0458108316566844, 0.028680064294205804),
    ])
  func farTail(_ lower: Double, _ upper: Double, _ center: Double, _ deviation: Double) {
    let error = deviation / Double(n).squareRoot()
    let x = draw(lower, upper)
    #expect(abs(mean(x) - center) < 4 * error)
    #expect(abs(standardDeviation(x) / deviation - 1) < 0.02)
    let mirrored = draw(-upper, -lower)
    #expect(abs(mean(mirrored) + center) < 4 * error)
  }

  @Test("Truncation to extreme intervals") func extremeIntervals() {
    #expect(draw(1e10, .infinity).allSatisfy { $0 < 1.0000001e10 })
    #expect(draw(1e300, .infinity).allSatisfy { $0 == 1e300 })
    #expect(draw(-1e200, -1e100).allSatisfy { $0 == -1e100 })
    #expect(draw(2, 2).allSatisfy { $0 == 2 })
    #expect(draw(2, 2.0.nextUp).allSatisfy { $0.isFinite })
    // Flat over a tiny interval.
    let x = draw(5, 5.000001)
    #expect(kolmogorovSmirnov(x) { ($0 - 5) / 0.000001 } < 1.95)
  }

  @Test("Location and scale of a truncated normal") func locationAndScale() {
    var a = PhiloxGenerator(seed: 3)
    var b = a
    let standard: [Double] = filled(n) { a.fillTruncatedNormal($0, from: -1, to: 3) }
    let moved: [Double] = filled(n) {
      b.fillTruncatedNormal($0, mean: 16, standardDeviation: 4, from: 12, to: 28)
    }
    #expect(zip(standard, moved).allSatisfy { 16 + 4 * $0 == $1 })
    var c = PhiloxGenerator(seed: 3)
    let single: [Float] = filled(n) {
      c.fillTruncatedNormal($0, mean: 16, standardDeviation: 4, from: 12, to: 28)
    }
    #expect(moved.map { Float($0) } == single)
  }
}
