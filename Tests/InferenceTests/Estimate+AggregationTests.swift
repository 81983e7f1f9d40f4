import Autodiff
import Inference
import TestSupport
import Testing

@Suite("Aggregation of estimates") struct EstimateAggregationTests {
  /// Estimates of the same units at values given.
  private func splits(_ values: [[Double]], clusters: [Int]? = nil) throws -> [Estimate] {
    try values.enumerated().map { index, value in
      try Estimate(
        value: Tensor(value), names: ["a", "b"],
        influence: [
          InfluenceRows(
            mixedRows(30, 2, seed: 7) + 0.3 * normal([30, 2], seed: UInt64(index)),
            sample: SampleIdentity(name: "units"), clusters: clusters)
        ])
    }
  }

  @Test("An odd number of splits is aggregated to their median") func median() throws {
    let estimates = try splits([[1, 5], [4, -1], [2, 7]])
    let aggregated = try Estimate.medianAggregated(estimates)
    #expect(aggregated.value.scalars == [2, 5])
    let errors = estimates.map(\.standardErrors.scalars)
    for (coordinate, centre) in [(0, 2.0), (1, 5.0)] {
      let variances = zip(estimates, errors).map { estimate, errors in
        let difference = estimate.value.scalars[coordinate] - centre
        return errors[coordinate] * errors[coordinate] + difference * difference
      }
      let reference = variances.sorted()[1].squareRoot()
      #expect(abs(aggregated.standardErrors.scalars[coordinate] / reference - 1) < 1e-13)
    }
    let eigenvalues = try symmetricEigenvalues(aggregated.covariance).scalars
    #expect(eigenvalues[0] >= 0)
  }

  @Test("Even median and mean") func evenMedianAndMean() throws {
    let estimates = try splits([[1, 5], [4, -1], [2, 7], [10, 8]])
    let median = try Estimate.medianAggregated(estimates)
    #expect(median.value.scalars == [3, 6])
    let mean = try Estimate.meanAggregated(estimates)
    #expect(mean.value.scalars == [4.25, 4.75])
    let variance =
      estimates.map { estimate in
        let error = estimate.standardErrors.scalars[0]
        let difference = estimate.value.scalars[0] - 4.25
        return error * error + difference * difference
      }.reduce(0, +) / 4
    #expect(abs(mean.standardErrors.scalars[0] / variance.squareRoot() - 1) < 1e-13)
  }

  /// Equal splits are one.
  @Test("Equal splits") func equalSplits() throws {
    let one = try splits([[1, 2]])[0]
    let aggregated = try Estimate.medianAggregated([one, one, one])
    #expect(aggregated.value.scalars == one.value.scalars)
    #expect(relativeDifference(aggregated.covariance, one.covariance) < 1e-14)
    #expect((aggregated - one).standardErrors.normInfinity().scalar < 1e-15)
  }

  @Test("What cannot be computed is refused") func refusals() throws {
    let first = try sampleMean(normal([10, 1], seed: 1), "first")
    let second = try sampleMean(normal([10, 1], seed: 1), "second")
    let error = #expect(throws: InferenceError.self) {
      try Estimate.medianAggregated([first, first, second])
    }
    #expect(error?.description.contains("estimate 2 does not have the samples") == true)
    let clustered = try sampleMean(
      normal([10, 1], seed: 1), "first", clusters: (0..<10).map { $0 / 2 })
    #expect(throws: InferenceError.self) { try Estimate.meanAggregated([first, clustered]) }

    // Rows without variance cannot be scaled to the variance between splits.
    let zero = try [1.0, 2, 5].map { value in
      try Estimate(
        value: Tensor([value]), names: ["a"],
        influence: [
          InfluenceRows(Tensor.zeros([4, 1]), sample: SampleIdentity(name: "s"))
        ])
    }
    let noVariance = #expect(throws: InferenceError.self) { try Estimate.meanAggregated(zero) }
    #expect(noVariance?.description.contains("that of a is 0") == true)
    let same = try Estimate.medianAggregated([zero[0], zero[0]])
    #expect(same.standardErrors.scalars == [0])
  }
}
