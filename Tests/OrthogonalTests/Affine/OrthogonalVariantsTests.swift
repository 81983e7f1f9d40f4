import Autodiff
import Bilevel
import Inference
import Orthogonal
import Solvers
import TestSupport
import Testing

/// Affine problems with known targets, clipped predictions and two samples, against least squares found here
/// fold by fold.
@Suite("Variants of orthogonal estimates") struct OrthogonalVariantsTests {
  private let linearClass = LinearClass(ridge: 0) { Self.features($0) }
  private let point = Tensor([0.4, -1])

  private static func features(_ x: Tensor) -> Tensor {
    .concatenated([.ones([x.shape[0], 1]), x, x * x], alongAxis: 1)
  }

  /// Predictions at points by least squares.
  private func predictions(_ x: Tensor, _ targets: Tensor, at points: Tensor) throws -> Tensor {
    let phi = Self.features(x)
    let weights = try solve(
      matmul(phi, phi, transposeA: true), matmul(phi, targets, transposeA: true))
    return matmul(Self.features(points), weights)
  }

  private func outOfFold(
    _ x: Tensor, _ targets: Tensor, _ folds: Folds, isClipped: Bool = false
  ) throws -> Tensor {
    var rows = [Tensor](repeating: .zeros([targets.shape[1]]), count: x.shape[0])
    for fold in 0..<folds.count {
      let (training, held) = (folds.training(fold), folds.held(fold))
      let own = targets.gathering(training, alongAxis: 0)
      var found = try predictions(
        x.gathering(training, alongAxis: 0), own, at: x.gathering(held, alongAxis: 0))
      if isClipped {
        found = minimum(maximum(found, own.min(alongAxis: 0)), own.max(alongAxis: 0))
      }
      for (place, row) in held.scalars.enumerated() { rows[Int(row)] = found[place] }
    }
    return .stacked(rows, alongAxis: 0)
  }

  private struct Data {
    let x: Tensor
    let slope: Tensor
    let intercept: Tensor
    let outcome: Tensor

    init(_ count: Int, seed: UInt64) {
      var generator = PhiloxGenerator(seed: seed)
      x = Tensor.normal([count, 1], using: &generator)
      let noise = Tensor.normal([count, 3], using: &generator)
      slope = Tensor.concatenated(
        [sin(x), cos(x) + 0.4 * noise[0..., 0..<1]], alongAxis: 1)
      intercept = x[0..., 0] + 0.3 * noise[0..., 1]
      outcome = x[0..., 0] * x[0..., 0] + noise[0..., 2]
    }

    func problem(_ known: AffineProblem.Known, groups: [Int]? = nil) throws -> AffineProblem {
      try AffineProblem(
        inputs: x, innerIntercept: intercept, innerSlope: slope, outcome: outcome, known: known,
        groups: groups)
    }
  }

  private func column(_ tensor: Tensor) -> Tensor { tensor.expandingShape(at: 1) }

  /// What is known is taken as it is, and its error has no noise to share.
  @Test("Known targets are not regressed") func knownTargetsAreNotRegressed() throws {
    let data = Data(40, seed: 1)
    let folds = try Folds(assignment: (0..<40).map { $0 % 4 })
    let plan = CrossFitting(folds: [folds])
    let problem = try data.problem(.init(slopeColumns: [0], intercept: true))
    let found = try outOfFold(
      data.x, .concatenated([data.slope[0..., 1..<2], column(data.outcome)], alongAxis: 1), folds)
    let nuisances = AffineNuisances(
      intercept: data.intercept,
      slope: .concatenated([data.slope[0..., 0..<1], found[0..., 0..<1]], alongAxis: 1),
      outcome: found[0..., 1])
    func estimate(_ noise: SharedNoise) throws -> Estimate {
      try problem.fit(
        nuisances: .linear(linearClass), crossFitting: plan.with(sharedNoise: noise)
      ).hypergradient(at: point)
    }
    let expected = try problem.fit(given: nuisances).hypergradient(at: point)
    let kept = try estimate(.kept)
    #expect(discrepancy(kept.value, expected.value) < 1e-10)
    #expect(discrepancy(kept.covariance, expected.covariance) < 1e-10)
    let correction = (try estimate(.corrected).value - kept.value).scalars
    #expect(correction[0] == 0 && abs(correction[1]) > 1e-4)
  }

  @Test("Clipped predictions stay in the range of the targets")
  func clippedPredictionsStayInTheRangeOfTheTargets() throws {
    let data = Data(40, seed: 2)
    let folds = try Folds(assignment: (0..<40).map { $0 % 4 })
    var learner = NuisanceLearner.linear(linearClass)
    learner.clipsPredictions = true
    let problem = try data.problem(.init())
    let targets = Tensor.concatenated(
      [column(data.intercept), data.slope, column(data.outcome)], alongAxis: 1)
    func reference(_ isClipped: Bool) throws -> Tensor {
      let found = try outOfFold(data.x, targets, folds, isClipped: isClipped)
      let nuisances = AffineNuisances(
        intercept: found[0..., 0], slope: found[0..., 1..<3], outcome: found[0..., 3])
      return try problem.fit(given: nuisances).hypergradient(at: point).value
    }
    let estimate = try problem.fit(
      nuisances: learner, crossFitting: CrossFitting(folds: [folds]).with(sharedNoise: .kept)
    ).hypergradient(at: point).value
    #expect(discrepancy(estimate, try reference(true)) < 1e-10)
    #expect(discrepancy(estimate, try reference(false)) > 1e-6)
  }

  /// Rows of a group count as one unit: the variance is that of sums over groups.
  @Test("Groups are units of the standard error") func groupsAreUnitsOfTheStandardError() throws {
    let data = Data(40, seed: 3)
    let groups = (0..<40).map { $0 / 4 }
    let fit = try data.problem(.init(), groups: groups).fit(
      nuisances: .linear(linearClass),
      crossFitting: CrossFitting(foldCount: 5).with(sharedNoise: .kept))
    let estimate = try fit.hypergradient(at: point)
    let sums = estimate.influence[0].rows.reshaped(to: [10, 4, 2]).sum(alongAxis: 1)
    let variance = square(sums).sum(alongAxis: 0) * (10.0 / 9 / 1600)
    #expect(discrepancy(square(estimate.standardErrors), variance) < 1e-12)
  }

  /// Folds of both samples as the plan draws them; every prediction is from rows of other folds.
  @Test("Two samples are cross-fitted") func twoSamplesAreCrossFitted() throws {
    let (inner, outer) = (Data(40, seed: 4), Data(33, seed: 5))
    let ratio = exp(0.3 * inner.x[0..., 0])
    let problem = try TwoSampleAffineProblem(
      innerInputs: inner.x, innerIntercept: inner.intercept, innerSlope: inner.slope,
      outerInputs: outer.x, outcome: outer.outcome, densityRatio: .known(ratio))
    var innerDraws = PhiloxGenerator(seed: 6).split(key: 0).split(key: 0)
    let innerFolds = try Folds(3, ofRows: 40, using: &innerDraws)
    var draws = PhiloxGenerator(seed: 6).split(key: 0).split(key: 1)
    let outerFolds = try Folds(3, ofRows: 33, using: &draws)
    let fit = try problem.fit(
      nuisances: .linear(linearClass),
      crossFitting: CrossFitting(foldCount: 3, seed: 6).with(sharedNoise: .kept))
    let targets = Tensor.concatenated([column(inner.intercept), inner.slope], alongAxis: 1)
    let atInner = try outOfFold(inner.x, targets, innerFolds)
    var (outcomes, atOuter) = (
      [Tensor](repeating: Tensor(0), count: 40), [Tensor](repeating: Tensor(0), count: 33)
    )
    for fold in 0..<3 {
      let (innerRows, outerRows) = (innerFolds.training(fold), outerFolds.training(fold))
      let (heldInner, heldOuter) = (innerFolds.held(fold), outerFolds.held(fold))
      let m = try predictions(
        outer.x.gathering(outerRows, alongAxis: 0),
        column(outer.outcome).gathering(outerRows, alongAxis: 0),
        at: inner.x.gathering(heldInner, alongAxis: 0))
      for (place, row) in heldInner.scalars.enumerated() { outcomes[Int(row)] = m[place, 0] }
      let h = try predictions(
        inner.x.gathering(innerRows, alongAxis: 0), targets.gathering(innerRows, alongAxis: 0),
        at: outer.x.gathering(heldOuter, alongAxis: 0))
      for (place, row) in heldOuter.scalars.enumerated() { atOuter[Int(row)] = h[place] }
    }
    let outerRows = Tensor.stacked(atOuter, alongAxis: 0)
    let expected = try problem.fit(
      given: AffineNuisances(
        intercept: atInner[0..., 0], slope: atInner[0..., 1..<3],
        outcome: .stacked(outcomes, alongAxis: 0)),
      outer: AffineNuisances(
        intercept: outerRows[0..., 0], slope: outerRows[0..., 1..<3], outcome: .zeros([33]))
    ).hypergradient(at: point)
    let estimate = try fit.hypergradient(at: point)
    #expect(discrepancy(estimate.value, expected.value) < 1e-10)
    #expect(discrepancy(estimate.covariance, expected.covariance) < 1e-10)
  }

  /// In a table the odds of the outer sample are counts of the training folds.
  @Test("Density ratios are those of other folds") func densityRatiosAreThoseOfOtherFolds() throws {
    let (inner, outer) = (Data(40, seed: 7), Data(33, seed: 8))
    let cells = (0..<40).map { $0 % 7 < 4 ? 0 : $0 % 7 - 4 }
    let outerCells = (0..<33).map { $0 % 5 < 2 ? $0 % 5 : 2 }
    func problem(_ ratio: DensityRatio) throws -> TwoSampleAffineProblem {
      try TwoSampleAffineProblem(
        innerInputs: Tensor(cells.map(Double.init), shape: [40, 1]), innerSlope: inner.slope,
        outerInputs: Tensor(outerCells.map(Double.init), shape: [33, 1]), outcome: outer.outcome,
        densityRatio: ratio)
    }
    var innerDraws = PhiloxGenerator(seed: 6).split(key: 0).split(key: 0)
    let folds = try Folds(3, ofRows: 40, using: &innerDraws)
    var draws = PhiloxGenerator(seed: 6).split(key: 0).split(key: 1)
    let outerFolds = try Folds(3, ofRows: 33, using: &draws)
    let ratios = (0..<40).map { row -> Double in
      let fold = folds.assignment[row]
      func share(_ all: [Int], _ folds: Folds) -> Double {
        let training = all.indices.filter { folds.assignment[$0] != fold }
        return Double(training.count { all[$0] == cells[row] }) / Double(training.count)
      }
      return share(outerCells, outerFolds) / share(cells, folds)
    }
    func estimate(_ ratio: DensityRatio) throws -> Estimate {
      try problem(ratio).fit(
        nuisances: .linear(.tabular(count: 3)),
        crossFitting: CrossFitting(foldCount: 3, seed: 6)
      ).hypergradient(at: point)
    }
    let found = try estimate(.estimated(.tabular(count: 3)))
    let expected = try estimate(.known(Tensor(ratios)))
    #expect(discrepancy(found.value, expected.value) < 1e-8)
    #expect(discrepancy(found.covariance, expected.covariance) < 1e-8)
    #expect(discrepancy(found.value, try estimate(.one).value) > 1e-3)
  }

  /// Squared losses on populations of three points with different distributions of the inputs: with
  /// nuisances in a table, which are exact, no shift of any of them moves the mean score.
  @Test("Squares of two samples are orthogonal without a density ratio")
  func squaresOfTwoSamplesAreOrthogonalWithoutADensityRatio() throws {
    func population(_ shares: [Double], _ labels: [[Double]]) -> FunctionalSample<Tensor> {
      let rows = (0..<36).map { $0 % 6 }
      return FunctionalSample(
        inputs: Tensor(rows.map { Double($0 / 2) }, shape: [36, 1]),
        labels: Tensor(rows.map { labels[$0 / 2][$0 % 2] }, shape: [36, 1]),
        weights: Tensor(rows.map { shares[$0 / 2] }))
    }
    let inner = population([0.5, 0.3, 0.2], [[0.1, 0.9], [-0.4, 0.2], [1.0, 0.4]])
    let outer = population([0.1, 0.3, 0.6], [[0.3, 0.1], [0.8, -0.2], [-0.5, 0.6]])
    var plan = CrossFitting(foldCount: 6)
    plan.allowsDuplicates = true
    let layer = OBiGrad<Tensor, Tensor, Tensor>.quadratic(
      nuisances: .linear(.tabular(count: 3)), crossFitting: plan,
      innerTarget: { ω, _, y in sin(ω * y) }, outerTarget: { _, _, y in y })
    let fit = try layer.fit(on: BilevelSample(inner: inner, outer: outer), at: Tensor(1.3))
    let general = OBiGrad<Tensor, Tensor, Tensor>(
      outputCount: 1, nuisances: .linear(.tabular(count: 3)), crossFitting: plan,
      innerLoss: { ω, v, _, y in 0.5 * square(v - sin(ω * y)).sum(alongAxis: 1) },
      outerLoss: { _, v, _, y in 0.5 * square(v - y).sum(alongAxis: 1) })
    let other = try general.fit(on: BilevelSample(inner: inner, outer: outer), at: Tensor(1.3))
    let (a, b) = (
      try fit.hypergradient(at: Tensor(1.3)), try other.hypergradient(at: Tensor(1.3))
    )
    #expect(discrepancy(a.value, b.value) < 1e-10)
    #expect(discrepancy(a.standardErrors, b.standardErrors) < 1e-10)
    for sensitivity in try fit.sensitivities(at: Tensor(1.3), along: Tensor(1)) {
      #expect(abs(sensitivity.zStatistic) < 1.5, "\(sensitivity)")
    }
  }

  @Test("Predictions of targets that sum to one keep that sum, so they are not clipped")
  func dependentTargetsAreNotClipped() throws {
    let data = Data(40, seed: 2)
    let folds = try Folds(assignment: (0..<40).map { $0 % 4 })
    let first = (0..<40).map { Double(($0 * 7) % 3 == 0 ? 1 : 0) }
    let third = (0..<40).map { Double(($0 * 5) % 4 == 0 ? 0.5 : 0) }
    let indicators = Tensor.stacked(
      [Tensor(first), Tensor(third), 1 - Tensor(first) - Tensor(third)], alongAxis: 1)
    func gradients(_ slope: Tensor) throws -> [Tensor] {
      try [false, true].map { clips in
        var learner = NuisanceLearner.linear(linearClass)
        learner.clipsPredictions = clips
        let problem = try AffineProblem(
          inputs: data.x, innerSlope: slope, outcome: 0.1 * data.outcome + slope[0..., 0])
        return try problem.fit(
          nuisances: learner, crossFitting: CrossFitting(folds: [folds]).with(sharedNoise: .kept)
        ).hypergradient(at: .ones([slope.shape[1]])).value
      }
    }
    let dependent = try gradients(indicators)
    #expect(discrepancy(dependent[0], dependent[1]) == 0)
    // Two of the three are free of each other.
    let free = try gradients(indicators[0..., 0..<2])
    #expect(discrepancy(free[0], free[1]) > 1e-6)
  }

  @Test("Scores of two samples that do not exist") func scoresOfTwoSamplesThatDoNotExist() async {
    let refusal = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let (x, y) = (Tensor.range(20).expandingShape(at: 1), Tensor.range(20))
      let problem = try TwoSampleAffineProblem(
        innerInputs: x, innerSlope: sin(x), outerInputs: x + 0.5, outcome: cos(y))
      _ = try problem.fit(.residual, nuisances: SineDesign.polynomials)
    }
    #expect(errorText(refusal).contains("use .plugIn"))
  }
}
