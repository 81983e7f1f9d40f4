import Autodiff
import Inference
import Testing

/// Means of 40 skewed, correlated rows, over 2,000 samples: the joint and simultaneous levels hold up
/// to the error of the normal approximation at this size and of the simulation.
@Suite struct CoverageTests {
  private static let replications = 2000
  private static let rows = 40
  private static let columns = 3

  private struct Coverage {
    var pointwise = 0.0
    var joint = 0.0
    var hotelling = 0.0
    var simultaneous = 0.0
  }

  private func simulate() throws -> Coverage {
    let mixing = Tensor(rows: [[1, 0, 0], [0.6, 0.8, 0], [-0.3, 0.4, 0.9]])
    var coverage = Coverage()
    let share = 1 / Double(Self.replications)
    let zero = Tensor.zeros([Self.columns])
    for replication in 0..<Self.replications {
      let data = matmul(
        normalRows(Self.rows, Self.columns, seed: UInt64(replication)), mixing, transposeB: true)
      let mean = try sampleMean(data)
      func covers(_ intervals: Intervals) -> [Bool] {
        ((intervals.lower .<= zero) .& (intervals.upper .>= zero)).elements(as: Bool.self)
      }
      let pointwise = covers(mean.intervals())
      coverage.pointwise += share * Double(pointwise.count { $0 }) / Double(Self.columns)
      let joint = mean.jointTest().value
      if let joint, joint.pValue > 0.05 { coverage.joint += share }
      let hotelling = mean.jointTest(reference: .hotelling).value
      if let hotelling, hotelling.pValue > 0.05 { coverage.hotelling += share }
      let band = try mean.simultaneousIntervals(
        bootstrap: MultiplierBootstrap(draws: 199, seed: UInt64(replication)))
      if covers(band).allSatisfy({ $0 }) { coverage.simultaneous += share }
    }
    return coverage
  }

  @Test func coverage() throws {
    let found = try simulate()
    // What is exact: normal means of 40 rows. Student's 39 degrees of freedom put 0.94277 inside
    // ±1.96, Hotelling's test has its level, and χ² rejects too often by a known amount.
    let error = (0.95 * 0.05 / Double(Self.replications)).squareRoot()
    let pointwise = 1 - TestDistributions.studentTwoSided(1.959963984540054, degrees: 39)
    #expect(abs(found.pointwise - pointwise) < 4 * error)
    #expect(abs(found.hotelling - 0.95) < 4 * error)
    let scaled = TestDistributions.chiSquaredQuantile(0.95, degrees: 3) * 37 / (39 * 3)
    let joint = 1 - TestDistributions.fUpperTail(scaled, numerator: 3, denominator: 37)
    #expect(abs(found.joint - joint) < 4 * 1.3 * error)
    // The band has the level of the pointwise intervals, within what 40 rows and 199 draws give.
    #expect(abs(found.simultaneous - 0.935) < 4 * error)
  }
}
