import Autodiff
import Bilevel
import Inference
import Orthogonal
import Solvers
import TestSupport
import Testing

/// Sets of values that a test of the moment E[g − y | X] = 0 does not reject.
@Suite("Confidence sets") struct ConfidenceSetTests {
  private struct Data {
    let instrument: Tensor
    let treatment: Tensor
    let outcome: Tensor

    init(count: Int = 200, strength: Double, _ generator: inout PhiloxGenerator) {
      let draws = Tensor.normal([count, 3], using: &generator)
      instrument = draws[0..., 0..<1]
      treatment = strength * instrument + draws[0..., 1..<2]
      outcome = 1.5 * treatment[0..., 0] + draws[0..., 1] + draws[0..., 2]
    }

    var problem: AffineProblem {
      get throws {
        try AffineProblem(inputs: instrument, innerSlope: treatment, outcome: outcome)
      }
    }
  }

  private let line = NuisanceLearner.linear(LinearClass(ridge: 0, hasIntercept: true) { $0 })

  /// The t statistic of mean ĵ (ω t − y) with ĵ by least squares on the other folds.
  private func tStatistic(_ data: Data, _ folds: Folds, at ω: Double) throws -> Double {
    var rows: [Double] = []
    for fold in 0..<folds.count {
      func design(_ indices: Tensor) -> Tensor {
        let x = data.instrument.gathering(indices, alongAxis: 0)
        return .concatenated([.ones([x.shape[0], 1]), x], alongAxis: 1)
      }
      let (training, held) = (folds.training(fold), folds.held(fold))
      let phi = design(training)
      let weights = try solve(
        matmul(phi, phi, transposeA: true),
        matmul(phi, data.treatment.gathering(training, alongAxis: 0), transposeA: true))
      let j = matmul(design(held), weights)[0..., 0]
      let t = data.treatment.gathering(held, alongAxis: 0)[0..., 0]
      rows += (j * (ω * t - data.outcome.gathering(held, alongAxis: 0))).scalars
    }
    let mean = rows.reduce(0, +) / Double(rows.count)
    let squares = rows.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return mean / (squares / Double(rows.count * (rows.count - 1))).squareRoot()
  }

  /// The ends are where a test done by hand changes its mind, with twice the variance where the noise of
  /// the instrument is not known.
  @Test(
    "Ends are where the test changes",
    arguments: [(1.0, 1), (0.05, 2), (0.05, 5), (0.02, 4)] as [(Double, UInt64)])
  func endsAreWhereTheTestChanges(strength: Double, seed: UInt64) throws {
    var generator = PhiloxGenerator(seed: seed)
    let data = Data(strength: strength, &generator)
    let folds = try Folds(4, ofRows: 200, using: &generator)
    let fit = try data.problem.fit(
      nuisances: line, crossFitting: CrossFitting(folds: [folds]).with(sharedNoise: .kept))
    func accepts(_ ω: Double) throws -> Bool {
      abs(try tStatistic(data, folds, at: ω)) <= 1.959963984540054 * 2.0.squareRoot()
    }
    switch try fit.robustSet() {
    case .interval(let lower, let upper):
      let margin = 1e-6 * (upper - lower)
      #expect(try accepts(lower + margin) && accepts(upper - margin))
      #expect(try !accepts(lower - margin) && !accepts(upper + margin))
    case .complement(let lower, let upper):
      let margin = 1e-6 * (upper - lower)
      #expect(try accepts(lower - margin) && accepts(upper + margin))
      #expect(try !accepts(lower + margin) && !accepts(upper - margin))
      #expect(strength < 1)
    case .everything:
      for ω in [-1e3, -1, 0, 1.5, 1e3] { #expect(try accepts(ω)) }
      #expect(strength < 1)
    case .nothing: Issue.record("a model with one instrument cannot be rejected")
    }
  }

  /// Coverage of the truth with instruments that are strong, weak and of no use at all, with a learner
  /// that fits their noise: at least 95 % up to three Monte Carlo standard errors, and with strong
  /// instruments not more.
  @Test("Sets cover however weak the instruments", arguments: [0, 0.1, 1])
  func setsCoverHoweverWeakTheInstruments(strength: Double) throws {
    let learner = NuisanceLearner.kernelRidge(
      .gaussian(lengthScale: 1), ridge: .fixed(0.02), landmarkCount: 30)
    let generator = PhiloxGenerator(seed: 31)
    let count = 400
    var covered = 0
    for replication in 0..<count {
      var draws = generator.split(key: UInt64(replication))
      let data = Data(strength: strength, &draws)
      let set = try data.problem.fit(
        nuisances: learner, crossFitting: CrossFitting(foldCount: 5, seed: UInt64(replication))
      ).robustSet()
      switch set {
      case .interval(let lower, let upper): covered += lower <= 1.5 && 1.5 <= upper ? 1 : 0
      case .complement(let lower, let upper): covered += 1.5 <= lower || upper <= 1.5 ? 1 : 0
      case .everything: covered += 1
      case .nothing: break
      }
    }
    let coverage = Double(covered) / Double(count)
    #expect(coverage > 0.917, "\(covered) of \(count)")
    if strength == 1 { #expect(coverage < 0.983, "\(covered) of \(count)") }
  }

  /// With a strong instrument the set is the Wald interval of the root, nearly.
  @Test("Strong instruments give the Wald interval") func strongInstrumentsGiveTheWaldInterval()
    throws
  {
    var generator = PhiloxGenerator(seed: 3)
    let fit = try Data(strength: 3, &generator).problem.fit(
      nuisances: line, crossFitting: CrossFitting(foldCount: 4))
    let root = try fit.root().intervals()
    guard case .interval(let lower, let upper) = try fit.robustSet() else {
      Issue.record("expected an interval")
      return
    }
    let width = root.upper[0].scalar - root.lower[0].scalar
    #expect(abs(lower - root.lower[0].scalar) < 0.1 * width)
    #expect(abs(upper - root.upper[0].scalar) < 0.1 * width)
  }

  @Test("Levels are stated in percent") func levelsInPercent() async {
    let refusal = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = try SineDesign.affine().fit(nuisances: SineDesign.polynomials).robustSet(level: 95)
    }
    #expect(errorText(refusal).contains("expected a level between 0 and 1, found 95"))
  }
}
