import Autodiff
import Inference
import TestSupport
import Testing

@Suite("Joint tests") struct JointTestTests {
  /// Two coordinates by the inverse of a 2 × 2 matrix.
  @Test("A joint test computed by hand") func byHand() throws {
    let mean = try sampleMean(Tensor(rows: [[1, 2], [2, 4], [3, 9]]))
    let (a, b, c) = (1.0 / 3, 3.5 / 3, 13.0 / 3)
    let determinant = a * c - b * b
    let (x, y) = (2.0 - 1, 5.0 - 3)
    let statistic = (c * x * x - 2 * b * x * y + a * y * y) / determinant
    let test = try #require(mean.jointTest(null: Tensor([1, 3])).value)
    #expect(abs(test.statistic / statistic - 1) < 1e-12)
    #expect(test.degreesOfFreedom == 2)
    #expect(test.denominatorDegreesOfFreedom == nil)
    // With two degrees of freedom the tail is exponential.
    #expect(abs(test.pValue / exp(Tensor(-statistic / 2)).scalar - 1) < 1e-12)

    let hotelling = try #require(
      mean.jointTest(null: Tensor([1, 3]), reference: .hotelling).value)
    // N = 3, r = 2: W (3 − 2) / (2 · 2) with 2 and 1 degrees of freedom.
    #expect(abs(hotelling.statistic / (statistic / 4) - 1) < 1e-12)
    #expect(hotelling.denominatorDegreesOfFreedom == 1)
    // P(F(2, 1) > f) = (1 + 2 f)^(−1/2).
    let tail = 1 / (1 + 2 * hotelling.statistic).squareRoot()
    #expect(abs(hotelling.pValue / tail - 1) < 1e-12)
  }

  /// One coordinate: the square of the z statistic; Hotelling's test is Student's.
  @Test("One coordinate is the square of its z statistic") func oneCoordinate() throws {
    let mean = try sampleMean(mixedRows(12, 1, seed: 1))
    let z = mean.zStatistics().scalars[0]
    let test = try #require(mean.jointTest().value)
    #expect(abs(test.statistic / (z * z) - 1) < 1e-13)
    #expect(abs(test.pValue / mean.pValues().scalars[0] - 1) < 1e-12)
    let hotelling = try #require(mean.jointTest(reference: .hotelling).value)
    #expect(abs(hotelling.pValue / TestDistributions.studentTwoSided(z, degrees: 11) - 1) < 1e-12)
  }

  @Test("Invariant under invertible maps") func invariantUnderInvertibleMaps() throws {
    let mean = try sampleMean(mixedRows(60, 4, seed: 2))
    let test = try #require(mean.jointTest().value)
    // Scales from 1e-6 to 1e9 among them.
    let scales = Tensor([1e-6, 1, 1e3, 1e9])
    let matrix = normal([4, 4], seed: 3) * scales.expandingShape(at: 1)
    let mapped = try #require(try mean.mapped(by: matrix).jointTest().value)
    #expect(mapped.degreesOfFreedom == 4)
    #expect(abs(mapped.statistic / test.statistic - 1) < 1e-8)
  }

  /// Four coordinates of rank two: the statistic is that of the two.
  @Test("Rank deficient") func rankDeficient() throws {
    let two = try sampleMean(mixedRows(60, 2, seed: 4))
    let matrix = Tensor(rows: [[1, 0], [2, -1e5], [0.3, 4], [1e-7, 1e-4]])
    let four = try two.mapped(by: matrix)
    let reference = try #require(two.jointTest().value)
    let test = try #require(four.jointTest().value)
    #expect(test.degreesOfFreedom == 2)
    #expect(abs(test.statistic / reference.statistic - 1) < 1e-9)
    let hotelling = try #require(four.jointTest(reference: .hotelling).value)
    #expect(hotelling.denominatorDegreesOfFreedom == 58)
  }

  @Test("Off the range is unavailable") func offTheRangeIsUnavailable() throws {
    let two = try sampleMean(mixedRows(60, 2, seed: 5))
    let four = try two.mapped(by: Tensor(rows: [[1, 0], [0, 1], [1, 1], [1, -1]]))
    let null = four.value - 0.1 * four.standardErrors * Tensor([0, 0, 0, 1])
    let reason = try #require(four.jointTest(null: null).unavailableReason)
    #expect(reason.contains("direction without variance"))
    #expect(reason.contains("4 coordinates, 60 independent units, a covariance of rank 2"))
  }

  @Test("Coordinates without variance") func coordinatesWithoutVariance() throws {
    let mean = try sampleMean(Tensor(rows: [[1, 5], [2, 5], [4, 5]]), names: ["a", "b"])
    let reason = try #require(mean.jointTest().unavailableReason)
    #expect(reason == "b has no variance but is off its null by 5")
    // At its null it does not count.
    let test = try #require(mean.jointTest(null: Tensor([0, 5])).value)
    #expect(test.degreesOfFreedom == 1)
    #expect((mean - mean).jointTest().unavailableReason == "no coordinate has variance")
  }

  @Test("More coordinates than units") func moreCoordinatesThanUnits() throws {
    let mean = try sampleMean(normal([5, 8], seed: 6))
    let reason = try #require(mean.jointTest().unavailableReason)
    #expect(reason.contains("8 coordinates, 5 independent units, a covariance of rank 4"))
  }

  @Test("Hotelling takes one sample") func hotellingTakesOneSample() throws {
    let a = try sampleMean(normal([5, 1], seed: 7), "a")
    let b = try sampleMean(normal([5, 1], seed: 8), "b")
    let reason = try #require((a + b).jointTest(reference: .hotelling).unavailableReason)
    #expect(reason.contains("rests on 2"))
  }
}
