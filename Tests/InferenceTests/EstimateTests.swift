import Autodiff
import Inference
import TestSupport
import Testing

@Suite("Estimates") struct EstimateTests {
  /// x = 1, 2, 3 and y = 2, 4, 9: variances 1 and 13, covariance 3.5, over n = 3.
  @Test("Hand computed covariance") func handComputedCovariance() throws {
    let mean = try sampleMean(Tensor(rows: [[1, 2], [2, 4], [3, 9]]))
    #expect(mean.value.scalars == [2, 5])
    let reference = Tensor(rows: [[1.0 / 3, 3.5 / 3], [3.5 / 3, 13.0 / 3]])
    #expect(relativeDifference(mean.covariance, reference) < 1e-15)
    #expect(relativeDifference(mean.standardErrors, sqrt(reference.diagonal())) < 1e-15)
  }

  @Test("Covariance of random rows") func covarianceOfRandomRows() throws {
    let data = mixedRows(37, 5, seed: 2)
    let mean = try sampleMean(data)
    let reference = Tensor(rows: directCovariance(data))
    #expect(relativeDifference(mean.covariance, reference) < 1e-13)
    #expect(relativeDifference(mean.standardErrors, sqrt(reference.diagonal())) < 1e-13)
    #expect(mean.covariance.isBitwiseEqual(to: mean.covariance.transposed()))
  }

  @Test("Cluster robust covariance") func clusterRobustCovariance() throws {
    let data = mixedRows(40, 3, seed: 4)
    let clusters = (0..<40).map { ($0 * $0) % 11 }
    let mean = try sampleMean(data, clusters: clusters)
    let reference = Tensor(rows: directCovariance(data, clusters: clusters))
    #expect(relativeDifference(mean.covariance, reference) < 1e-13)
    #expect(relativeDifference(mean.standardErrors, sqrt(reference.diagonal())) < 1e-13)
  }

  @Test("Clusters of one are none") func clustersOfOneAreNone() throws {
    let data = mixedRows(25, 3, seed: 5)
    let plain = try sampleMean(data)
    let clustered = try sampleMean(data, clusters: (0..<25).map { 100 - $0 })
    #expect(relativeDifference(clustered.covariance, plain.covariance) < 1e-15)
  }

  @Test("Samples add their variances") func samplesAddTheirVariances() throws {
    let first = mixedRows(20, 2, seed: 6)
    let second = mixedRows(50, 2, seed: 7)
    let estimate = try Estimate(
      value: Tensor([1, 2]), names: ["a", "b"],
      influence: [
        InfluenceRows(first, sample: SampleIdentity(name: "first")),
        InfluenceRows(second, sample: SampleIdentity(name: "second")),
      ])
    let reference =
      Tensor(rows: directCovariance(first)) + Tensor(rows: directCovariance(second))
    #expect(relativeDifference(estimate.covariance, reference) < 1e-13)
  }

  @Test("Rows of one sample are added") func rowsOfOneSampleAreAdded() throws {
    let first = mixedRows(20, 2, seed: 8)
    let second = mixedRows(20, 2, seed: 9)
    let sample = SampleIdentity(name: "sample")
    let estimate = try Estimate(
      value: Tensor([1, 2]), names: ["a", "b"],
      influence: [
        InfluenceRows(first, sample: sample), InfluenceRows(second, sample: sample),
      ])
    #expect(estimate.influence.count == 1)
    let reference = Tensor(rows: directCovariance(first + second))
    #expect(relativeDifference(estimate.covariance, reference) < 1e-13)
  }

  /// With many coordinates the standard errors do not take the covariance.
  @Test("Many coordinates") func manyCoordinates() throws {
    let data = normal([30, 20_000], seed: 10)
    let errors = try sampleMean(data).standardErrors
    let few = try sampleMean(data.slice(0..<3, alongAxis: 1)).covariance.diagonal()
    #expect(relativeDifference(square(errors.slice(0..<3, alongAxis: 0)), few) < 1e-13)
  }

  @Test("What cannot be computed is refused") func refusals() throws {
    let influence = [
      try InfluenceRows(normal([5, 2], seed: 1), sample: SampleIdentity(name: "s"))
    ]
    let names = #expect(throws: InferenceError.self) {
      try Estimate(value: Tensor([1, 2]), names: ["a"], influence: influence)
    }
    #expect(names?.description.contains("expected 2 names") == true)
    let value = #expect(throws: InferenceError.self) {
      try Estimate(value: Tensor([1, .nan]), names: ["a", "b"], influence: influence)
    }
    #expect(value?.description.contains("b is infinite or NaN") == true)
    #expect(throws: InferenceError.self) {
      try InfluenceRows(Tensor.zeros([5, 0]), sample: SampleIdentity(name: "s"))
    }
  }

  @Test("Wrong shapes stop") func wrongShapesStop() async {
    await #expect(processExitsWith: .failure) {
      let rows = try InfluenceRows(Tensor(rows: [[1], [2]]), sample: SampleIdentity(name: "s"))
      _ = try Estimate(value: Tensor([1, 2]), names: ["a", "b"], influence: [rows])
    }
    await #expect(processExitsWith: .failure) {
      _ = try Estimate(value: Tensor([1]), names: ["a"], influence: [])
    }
  }
}
