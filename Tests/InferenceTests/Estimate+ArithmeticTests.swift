import Autodiff
import Inference
import TestSupport
import Testing

@Suite("Arithmetic of estimates") struct EstimateArithmeticTests {
  @Test("Difference with itself has no variance") func differenceWithItselfHasNoVariance() throws {
    let mean = try sampleMean(mixedRows(20, 3, seed: 1))
    let difference = mean - mean
    #expect(difference.value.scalars == [0, 0, 0])
    #expect(difference.standardErrors.scalars == [0, 0, 0])
    #expect(difference.names == mean.names)
  }

  /// A sum of means of one sample is the mean of the summed rows.
  @Test("Same sample adds rows") func sameSampleAddsRows() throws {
    let (x, y) = (mixedRows(30, 2, seed: 2), mixedRows(30, 2, seed: 3))
    let (a, b) = (try sampleMean(x), try sampleMean(y))
    let sum = try sampleMean(x + y)
    #expect(relativeDifference((a + b).value, sum.value) < 1e-14)
    #expect(relativeDifference((a + b).covariance, sum.covariance) < 1e-13)
    let combination = try sampleMean(2 * x - 3 * y)
    #expect(relativeDifference((2 * a - b * 3).value, combination.value) < 1e-13)
    #expect(relativeDifference((2 * a - b * 3).covariance, combination.covariance) < 1e-13)
    #expect(relativeDifference((-a).covariance, a.covariance) == 0)
    #expect((-a).value.scalars == a.value.scalars.map { -$0 })
  }

  @Test("Different samples add variances") func differentSamplesAddVariances() throws {
    let a = try sampleMean(mixedRows(30, 2, seed: 4), "first")
    let b = try sampleMean(mixedRows(12, 2, seed: 5), "second", names: ["u", "v"])
    let reference = a.covariance + b.covariance
    #expect(relativeDifference((a + b).covariance, reference) < 1e-14)
    #expect(relativeDifference((a - b).covariance, reference) < 1e-14)
    #expect((a - b).names == ["x0 - u", "x1 - v"])
    // What is common to both cancels again.
    let back = (a + b) - b
    #expect(relativeDifference(back.covariance, a.covariance) < 1e-13)
  }

  @Test("Clusters stay") func clustersStay() throws {
    let clusters = (0..<30).map { $0 / 3 }
    let (x, y) = (mixedRows(30, 2, seed: 6), mixedRows(30, 2, seed: 7))
    let sum = try sampleMean(x, clusters: clusters) + sampleMean(y, clusters: clusters)
    let reference = Tensor(rows: directCovariance(x + y, clusters: clusters))
    #expect(relativeDifference(sum.covariance, reference) < 1e-13)
  }

  @Test("Ones sample with other units stops") func onesSampleWithOtherUnitsStops() async {
    await #expect(processExitsWith: .failure) {
      _ = try sampleMean(normal([5, 1], seed: 1)) + sampleMean(normal([6, 1], seed: 1))
    }
    await #expect(processExitsWith: .failure) {
      let data = normal([4, 1], seed: 1)
      _ = try sampleMean(data) - sampleMean(data, clusters: [0, 0, 1, 1])
    }
    await #expect(processExitsWith: .failure) {
      _ = try sampleMean(normal([5, 1], seed: 1)) + sampleMean(normal([5, 2], seed: 1))
    }
  }
}
