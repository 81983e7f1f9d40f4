import Autodiff
import Bilevel
import Inference
import Testing

/// Sets of values that the test of a zero gradient does not reject.
@Suite struct ConfidenceSetTests {
  private func fit(strength: Double, seed: UInt64) throws -> AffineFit {
    var generator = PhiloxGenerator(seed: seed)
    let draws = Tensor.normal([200, 3], using: &generator)
    let treatment = strength * draws[0..., 0..<1] + draws[0..., 1..<2]
    let outcome = 1.5 * treatment[0..., 0] + draws[0..., 1] + draws[0..., 2]
    return try AffineProblem(inputs: draws[0..., 0..<1], innerSlope: treatment, outcome: outcome)
      .fit(
        nuisances: .linear(LinearClass(ridge: 0, hasIntercept: true) { $0 }),
        crossFitting: CrossFitting(foldCount: 4))
  }

  /// The ends are where the joint test changes its mind.
  @Test(arguments: [(1.0, 1), (0.05, 2), (0.05, 5), (0.02, 4)] as [(Double, UInt64)])
  func endsAreWhereTheTestChanges(strength: Double, seed: UInt64) throws {
    let fit = try fit(strength: strength, seed: seed)
    func accepts(_ ω: Double) throws -> Bool {
      let test = try fit.hypergradient(at: Tensor([ω])).jointTest()
      return try #require(test.value).pValue >= 0.05
    }
    switch try fit.robustSet() {
    case .interval(let lower, let upper):
      let margin = 1e-6 * (upper - lower)
      #expect(try accepts(lower + margin) && accepts(upper - margin))
      #expect(try !accepts(lower - margin) && !accepts(upper + margin))
      #expect(strength == 1)
    case .complement(let lower, let upper):
      let margin = 1e-6 * (upper - lower)
      #expect(try accepts(lower - margin) && accepts(upper + margin))
      #expect(try !accepts(lower + margin) && !accepts(upper - margin))
    case .everything:
      for ω in [-1e3, -1, 0, 1.5, 1e3] { #expect(try accepts(ω)) }
    case .nothing: Issue.record("a model with one instrument cannot be rejected")
    }
  }

  /// With a strong instrument the set is the Wald interval of the root, nearly.
  @Test func strongInstrumentsGiveTheWaldInterval() throws {
    let fit = try fit(strength: 3, seed: 3)
    let root = try fit.root().intervals()
    guard case .interval(let lower, let upper) = try fit.robustSet() else {
      Issue.record("expected an interval")
      return
    }
    let width = root.upper[0].scalar - root.lower[0].scalar
    #expect(abs(lower - root.lower[0].scalar) < 0.1 * width)
    #expect(abs(upper - root.upper[0].scalar) < 0.1 * width)
  }
}
