import Autodiff
import Inference
import Testing
import TestSupport

/// Means of 100 correlated normal rows in 2,000 simulated samples.
///
/// For normal rows the finite-sample coverage of everything but the band is known exactly.
@Suite("Coverage in simulations") struct CoverageTests {
  private static let replications = 2000
  private static let rows = 100
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
        normal([Self.rows, Self.columns], seed: UInt64(replication)), mixing, transposeB: true)
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

  /// Whether a share of the samples is within four standard errors of a probability.
  private func agree(_ share: Double, _ probability: Double) -> Bool {
    let error = (probability * (1 - probability) / Double(Self.replications)).squareRoot()
    return abs(share - probability) < 4 * error
  }

  @Test("Intervals, tests and bands cover as often as they say") func coverage() throws {
    let found = try simulate()
    let (n, d) = (Double(Self.rows), Double(Self.columns))
    let pointwise = 1 - TestDistributions.studentTwoSided(1.959963984540054, degrees: n - 1)
    #expect(agree(found.pointwise, pointwise))
    #expect(agree(found.hotelling, 0.95))
    let critical = TestDistributions.chiSquaredQuantile(0.95, degrees: d)
    let joint =
      1
      - TestDistributions.fUpperTail(
        critical * (n - d) / ((n - 1) * d), numerator: d, denominator: n - d)
    #expect(agree(found.joint, joint))
    // Its error at this size is below that of the simulation.
    #expect(agree(found.simultaneous, 0.95))
  }
}
