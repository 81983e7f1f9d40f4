import Autodiff
import Inference
import TestSupport
import Testing

@Suite("Summaries of estimates") struct EstimateSummaryTests {
  /// Coordinates with mean 3 and −1 and standard errors 1 and 2, uncorrelated.
  private func estimate() throws -> Estimate {
    let rows = Tensor(rows: [[1, 2], [1, -2], [-1, 2], [-1, -2]])
    return try Estimate(
      value: Tensor([3, -1]), names: ["schooling", "age"],
      influence: [InfluenceRows(3.0.squareRoot() * rows, sample: SampleIdentity(name: "s"))])
  }

  @Test("A summary has its table and its blocks") func blocks() throws {
    let found = try estimate().summary(
      title: "Effect of schooling",
      blocks: [
        (title: "Data", lines: [(label: "file", text: "card.csv"), (label: "rows", text: "4")]),
        (title: "Resampling", lines: [(label: "folds", text: "5")]),
      ])
    let expected = """
      Effect of schooling
      ===================

      Data
        file  card.csv
        rows  4

      Resampling
        folds  5

      Sample
        rows  4, independent

      Fit
                   coef  std err     z   P>|z|  [95 %  interval]
        schooling     3        1     3  0.0027   1.04       4.96
        age          -1        2  -0.5   0.617  -4.92       2.92
        Intervals are pointwise: each covers its own coordinate in 95 % of samples.
        P>|z| tests each coordinate = 0 by itself, not adjusted for their number.

      Tests
        all coordinates = 0  χ²(2) = 9.25, p = 0.0098
        Euclidean norm       at most 8.058 at level 95 %
      """
    #expect(found == expected)
  }

  @Test("Simultaneous intervals are said") func simultaneousIntervalsAreSaid() throws {
    let estimate = try estimate()
    let band = try estimate.simultaneousIntervals(
      level: 0.9, bootstrap: MultiplierBootstrap(draws: 100, seed: 1))
    let text = estimate.summary(intervals: band)
    #expect(text.contains("Intervals are simultaneous: all cover together in 90 % of samples"))
    #expect(text.contains("at level 90 %"))
    #expect(!text.contains("pointwise"))
  }

  @Test("What is unavailable is said") func whatIsUnavailableIsSaid() throws {
    let mean = try sampleMean(Tensor(rows: [[1, 5], [2, 5], [4, 5]]), names: ["a", "b"])
    let text = mean.summary()
    #expect(text.contains("not available: b has no variance but is off its null by 5"))
    #expect(text.contains("n/a: the coordinate has no variance, so there is no z statistic."))
  }

  @Test("Samples and clusters") func samplesAndClusters() throws {
    let a = try sampleMean(normal([6, 1], seed: 1), "a", clusters: [0, 0, 1, 1, 2, 2])
    let b = try sampleMean(normal([9, 1], seed: 2), "b")
    let text = (a + b).summary()
    #expect(text.contains("sample 1  6 rows, in 3 clusters"))
    #expect(text.contains("sample 2  9 rows, independent"))
  }

  @Test("Long tables are cut") func longTablesAreCut() throws {
    let text = try sampleMean(normal([20, 12], seed: 3)).summary(maximumRows: 10)
    #expect(text.contains("x9 ") && !text.contains("x10 "))
    #expect(text.contains("… and 2 more"))
  }
}
