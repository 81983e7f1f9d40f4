import Autodiff
import Bilevel
import Inference
import Neural
import Orthogonal
import Solvers
import Testing

@Suite("Fits of affine problems")
struct AffineFitTests {
  /// Units of ω do not count: a column times 10⁶ has a coefficient times 10⁻⁶.
  @Test("Roots follow units") func rootsFollowUnits() throws {
    let sample = SineDesign.sample(60)
    let slope = Tensor.concatenated([sin(sample.labels[0]), cos(sample.labels[0])], alongAxis: 1)
    func root(_ unit: Double) throws -> Estimate {
      try AffineProblem(
        inputs: sample.inputs, innerSlope: slope * Tensor([unit, 1]),
        outcome: sample.labels[1][0..., 0]
      ).fit(nuisances: SineDesign.polynomials).root()
    }
    let (one, large) = (try root(1), try root(1e6))
    let back = Tensor([1e6, 1])
    #expect(discrepancy(large.value * back, one.value) < 1e-9)
    #expect(discrepancy(large.standardErrors * back, one.standardErrors) < 1e-9)
  }

  /// A summary names what was done about shared noise and not what was asked for.
  @Test("Summaries state the treatment of shared noise")
  func summariesStateTheTreatmentOfSharedNoise() throws {
    func treatment(_ blocks: [Estimate.SummaryBlock]) -> String? {
      blocks.flatMap(\.lines).first { $0.label == "shared noise" }?.text
    }
    let problem = try SineDesign.affine()
    let corrected = try problem.fit(nuisances: SineDesign.polynomials)
    #expect(treatment(corrected.summaryBlocks) == "corrected")
    let plugIn = try problem.fit(.plugIn, nuisances: SineDesign.polynomials)
    #expect(treatment(plugIn.summaryBlocks) == "kept")
    let general = try SineDesign.layer(SineDesign.polynomials).fit(
      on: BilevelSample(SineDesign.sample(40)), at: SineDesign.point)
    #expect(treatment(general.summaryBlocks) == "kept")
  }
}
