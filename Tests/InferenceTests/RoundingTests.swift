import Autodiff
import Inference
import TestSupport
import Testing

/// Where influence cancels, the rounding that is left is no standard error.
@Suite("Rounding at the edges") struct RoundingTests {
  private let rows = normal([40, 3], seed: 5)

  /// The estimate has no variance, so no z statistic or p-value of whatever rounding left.
  private func hasNoVariance(_ estimate: Estimate) -> Bool {
    estimate.standardErrors.scalars.allSatisfy { $0 == 0 }
      && estimate.pValues().scalars.allSatisfy(\.isNaN)
  }

  @Test("The difference of two ways to one estimate")
  func differences() throws {
    let mean = try sampleMean(rows)
    // 0.1 + 0.2 is not 0.3.
    let sum = (0.1 * mean + 0.2 * mean) - 0.3 * mean
    #expect(hasNoVariance(sum))
    #expect(sum.jointTest().unavailableReason != nil)
    let small = mean - (1 - 1e-9) * mean
    let ratio = small.standardErrors / mean.standardErrors
    #expect(abs(ratio * 1e9 - 1).max().scalar < 1e-6)
  }

  @Test("A linear combination that cancels")
  func combinations() throws {
    // The third column is the sum of the others.
    let dependent = Tensor.concatenated(
      [rows, rows.sum(alongAxis: 1, keepingDimension: true)], alongAxis: 1)
    let mean = try sampleMean(dependent)
    let gap = try mean.mapped(by: Tensor(rows: [[1, 1, 1, -1], [1, 0, 0, 0]]))
    #expect(gap.standardErrors.scalars[0] == 0 && gap.standardErrors.scalars[1] > 0)
    let certificate = mean.descentCertificate(along: Tensor([1.0, 1, 1, -1]))
    #expect(certificate.standardError == 0)
  }

  @Test("Rows that cancel in every cluster")
  func clusters() throws {
    let clusters = (0..<40).map { $0 / 4 }
    // Deviations from the means of the clusters, to rounding.
    let means = rows.reshaped(to: [10, 4, 3]).mean(alongAxis: 1, keepingDimension: true)
    let within = (rows.reshaped(to: [10, 4, 3]) - means).reshaped(to: [40, 3])
    let estimate = try Estimate(
      value: Tensor([1e-17, 0, 1]), names: ["a", "b", "c"],
      influence: [
        InfluenceRows(within, sample: SampleIdentity(name: "within"), clusters: clusters)
      ])
    #expect(hasNoVariance(estimate))
  }

  @Test("Splits that rounding alone tells apart are one")
  func splits() throws {
    let constant = Tensor.zeros([40, 1])
    let splits = try [2.0, 2.0.nextUp, 2.0.nextDown].map { value in
      try Estimate(
        value: Tensor([value]), names: ["a"],
        influence: [InfluenceRows(constant, sample: SampleIdentity(name: "s"))])
    }
    let median = try Estimate.medianAggregated(splits)
    #expect(median.value.scalars == [2] && hasNoVariance(median))
  }
}
