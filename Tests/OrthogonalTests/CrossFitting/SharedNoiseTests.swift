import Autodiff
import Bilevel
import Orthogonal
import Testing

/// The correction for noise that two regressions share, against its definition and against the bias it is
/// to remove.
@Suite("Shared noise") struct SharedNoiseTests {
  private let linearClass = LinearClass(
    ridge: 0.02, hasIntercept: true, penalizesIntercept: false
  ) { x in Tensor.concatenated([x, x * x], alongAxis: 1) }

  /// A(x, i) by predicting unit vectors, residuals and leverages from it, fold by fold.
  @Test("Correction is its definition") func correctionIsItsDefinition() throws {
    var generator = PhiloxGenerator(seed: 4)
    let x = Tensor.normal([24, 1], using: &generator)
    let noise = Tensor.normal([24, 3], using: &generator)
    let slope = Tensor.concatenated(
      [x + noise[0..., 0..<1], cos(x) + noise[0..., 1..<2]], alongAxis: 1)
    let intercept = sin(x[0..., 0]) * noise[0..., 2]
    let outcome = x[0..., 0] + noise[0..., 0] - noise[0..., 2]
    let problem = try AffineProblem(
      inputs: x, innerIntercept: intercept, innerSlope: slope, outcome: outcome)
    // Folds of 4, 10 and 10 rows.
    let folds = try Folds(assignment: (0..<24).map { $0 < 4 ? 0 : 1 + $0 % 2 })
    let plan = CrossFitting(folds: [folds])
    let point = Tensor([0.4, -1])
    func estimate(_ noise: SharedNoise) throws -> Tensor {
      try problem.fit(
        nuisances: .linear(linearClass), crossFitting: plan.with(sharedNoise: noise)
      ).hypergradient(at: point).value
    }
    var expected = Tensor.zeros([2])
    for fold in 0..<3 {
      let (training, held) = (folds.training(fold), folds.held(fold))
      let all = Tensor.concatenated([held, training], alongAxis: 0)
      let (heldCount, count) = (held.elementCount, training.elementCount)
      let features = linearClass.features(x)
      let phi = features.gathering(training, alongAxis: 0)
      let penalty = Tensor([0.04, 0.04, 0]).embeddedDiagonal() * Double(count)
      let hat = matmul(
        features.gathering(all, alongAxis: 0),
        try solve(matmul(phi, phi, transposeA: true) + penalty, phi.transposed()))
      let weights = hat.slice(0..<heldCount, alongAxis: 0)
      let own = hat.slice(heldCount..<24, alongAxis: 0)
      let g = intercept + matmul(slope, point.expandingShape(at: 1)).squeezingShape(at: 1)
      let gap = (g - outcome).gathering(training, alongAxis: 0)
      let rows = slope.gathering(training, alongAxis: 0)
      let gapError = gap - matmul(own, gap.expandingShape(at: 1)).squeezingShape(at: 1)
      let slopeError = rows - matmul(own, rows)
      // Every row counts the same, so a fold counts as often as it has rows.
      let c = square(weights).sum(alongAxis: 0) / (24 * (1 - own.diagonal()))
      expected += (slopeError * (c * gapError).expandingShape(at: 1)).sum(alongAxis: 0)
    }
    let difference = try estimate(.corrected) - estimate(.kept)
    #expect(discrepancy(difference, expected) < 1e-12)
  }

  /// With X of no use for T and Y the gradient is 0 at ω = 0, but regressions on many features fit the same
  /// noise: the score as it is misses 0 by many standard errors of the mean over replications.
  @Test("Correction and split remove the bias") func correctionAndSplitRemoveTheBias() throws {
    let features = LinearClass(ridge: 0) { x in
      Tensor.concatenated((1...12).map { cos(Double($0) * x) }, alongAxis: 1)
    }
    let generator = PhiloxGenerator(seed: 21)
    var totals: [SharedNoise: [Double]] = [:]
    for replication in 0..<300 {
      var draws = generator.split(key: UInt64(replication))
      let x = Tensor.uniform([80, 1], from: 0, to: 3, using: &draws)
      let noise = Tensor.normal([80, 2], using: &draws)
      let treatment = noise[0..., 0..<1]
      let outcome = noise[0..., 0] + 0.5 * noise[0..., 1]
      let problem = try AffineProblem(inputs: x, innerSlope: treatment, outcome: outcome)
      for kind in [SharedNoise.kept, .corrected, .split] {
        let plan = CrossFitting(foldCount: 4, seed: UInt64(replication)).with(sharedNoise: kind)
        let fit = try problem.fit(nuisances: .linear(features), crossFitting: plan)
        totals[kind, default: []].append(try fit.hypergradient(at: Tensor([0])).value[0].scalar)
      }
    }
    let kept = tStatistic(totals[.kept] ?? [])
    let corrected = tStatistic(totals[.corrected] ?? [])
    let split = tStatistic(totals[.split] ?? [])
    #expect(abs(kept) > 6, "\(kept) \(corrected) \(split)")
    #expect(abs(corrected) < 3, "\(kept) \(corrected) \(split)")
    #expect(abs(split) < 3, "\(kept) \(corrected) \(split)")
  }

  /// On two samples j and h share the noise of the inner one, and the outcome has none in common with
  /// them.
  @Test("Two samples are corrected for the inner one") func twoSamplesAreCorrectedForTheInnerOne()
    throws
  {
    let features = LinearClass(ridge: 0) { x in
      Tensor.concatenated((1...12).map { cos(Double($0) * x) }, alongAxis: 1)
    }
    let generator = PhiloxGenerator(seed: 22)
    var totals: [SharedNoise: [Double]] = [:]
    for replication in 0..<300 {
      var draws = generator.split(key: UInt64(replication))
      let x = Tensor.uniform([160, 1], from: 0, to: 3, using: &draws)
      let noise = Tensor.normal([80, 2], using: &draws)
      let problem = try TwoSampleAffineProblem(
        innerInputs: x.slice(0..<80, alongAxis: 0), innerSlope: noise[0..., 0..<1],
        outerInputs: x.slice(80..<160, alongAxis: 0), outcome: noise[0..., 1])
      for kind in [SharedNoise.kept, .corrected] {
        let plan = CrossFitting(foldCount: 4, seed: UInt64(replication)).with(sharedNoise: kind)
        let fit = try problem.fit(nuisances: .linear(features), crossFitting: plan)
        // E[T | X] = 0: the gradient is 0 at every ω.
        totals[kind, default: []].append(try fit.hypergradient(at: Tensor([1])).value[0].scalar)
      }
    }
    let (kept, corrected) = (tStatistic(totals[.kept] ?? []), tStatistic(totals[.corrected] ?? []))
    #expect(abs(kept) > 6, "\(kept) \(corrected)")
    #expect(abs(corrected) < 3, "\(kept) \(corrected)")
  }

  private func tStatistic(_ values: [Double]) -> Double {
    let mean = values.reduce(0, +) / Double(values.count)
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return mean / (squares / Double((values.count - 1) * values.count)).squareRoot()
  }
}
