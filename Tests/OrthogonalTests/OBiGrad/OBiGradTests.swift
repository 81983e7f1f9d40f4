import Autodiff
import Bilevel
import GradientCheck
import Inference
import Neural
import Orthogonal
import Testing

/// The layer with fitted nuisances.
@Suite("OBiGrad") struct OBiGradTests {
  /// A treatment t with noise shared by the outcome, and instruments x.
  private struct Data {
    let x: Tensor
    let t: Tensor
    let outcome: Tensor

    init(count: Int = 80, seed: UInt64 = 1) {
      var generator = PhiloxGenerator(seed: seed)
      x = Tensor.normal([count, 1], using: &generator)
      let noise = Tensor.normal([count, 2], using: &generator)
      t = x + 0.5 * noise[0..., 0..<1]
      outcome = sin(t) + 0.8 * noise[0..., 0..<1] + 0.3 * noise[0..., 1..<2]
    }

    var sample: FunctionalSample<[Tensor]> {
      FunctionalSample(inputs: x, labels: [t, outcome])
    }
  }

  private let polynomials = NuisanceLearner.linear(
    LinearClass(ridge: 1e-3, hasIntercept: true, penalizesIntercept: false) { x in
      Tensor.concatenated([x, x * x, x * x * x], alongAxis: 1)
    })

  private func plan(_ count: Int) throws -> CrossFitting {
    CrossFitting(folds: [try Folds(assignment: (0..<count).map { $0 % 4 })])
  }

  private static func features(_ t: Tensor) -> Tensor {
    .concatenated([sin(t), cos(t)], alongAxis: 1)
  }

  @Test(
    "Affine targets give the affine problem", arguments: [true, false],
    [SharedNoise.kept, .corrected])
  func affineTargetsGiveTheAffineProblem(isOrthogonal: Bool, sharedNoise: SharedNoise) throws {
    let data = Data()
    let plan = try plan(80).with(sharedNoise: sharedNoise)
    var layer = OBiGrad<Tensor, [Tensor], [Tensor]>.quadratic(
      nuisances: polynomials, crossFitting: plan,
      innerTarget: { ω, _, y in matmul(Self.features(y[0]), ω.expandingShape(at: 1)) },
      outerTarget: { _, _, y in y[1] })
    layer.isOrthogonal = isOrthogonal
    let point = Tensor([0.7, -0.2])
    let fit = try layer.fit(on: BilevelSample(data.sample), at: point)
    let estimate = try fit.hypergradient(at: point)
    let affine = try AffineProblem(
      inputs: data.x, innerSlope: Self.features(data.t), outcome: data.outcome[0..., 0]
    ).fit(isOrthogonal ? .orthogonal : .plugIn, nuisances: polynomials, crossFitting: plan)
    let other = try affine.hypergradient(at: point)
    #expect(discrepancy(estimate.value, other.value) < 1e-12)
    #expect(estimate.names == ["w[0]", "w[1]"])
    // The layer adds a correction to the rows of its fold, which counts in the covariance between
    // folds; the affine problem to the mean.
    let tolerance = sharedNoise == .kept ? 1e-12 : 1e-3
    #expect(discrepancy(estimate.covariance, other.covariance) < tolerance)
    guard isOrthogonal else { return }
    let (root, otherRoot) = (try fit.root(startingAt: point), try affine.root())
    #expect(discrepancy(root.value, otherRoot.value) < 1e-9)
    if sharedNoise == .kept {
      #expect(discrepancy(root.covariance, otherRoot.covariance) < 1e-9)
    }
  }

  /// Losses that are not quadratic, a target that is not affine: the layer's gradient, the gradient of
  /// the debiased value in both modes and finite differences of it, to second order.
  @Test("Logistic losses have the derivative of the debiased value")
  func logisticLossesHaveTheDerivativeOfTheDebiasedValue() throws {
    let data = Data()
    let layer = logistic(polynomials, try plan(80))
    let point = Tensor([0.9, -0.4])
    let fit = try layer.fit(on: BilevelSample(data.sample), at: point)
    let estimate = try fit.hypergradient(at: point)
    let slope = try gradient(at: point) { ω in try fit.value(at: ω) }
    #expect(discrepancy(estimate.value, slope) < 1e-10)
    try requireGradients(at: point) { ω in try fit.value(at: ω) }
    let direction = Tensor([0.3, 2])
    let along = try fit.directionalDerivatives(at: point, along: [direction])
    let mapped = try estimate.mapped(by: direction.expandingShape(at: 0))
    #expect(discrepancy(along.value, mapped.value) < 1e-10)
    #expect(discrepancy(along.standardErrors, mapped.standardErrors) < 1e-10)
  }

  private func logistic(
    _ learner: NuisanceLearner, _ plan: CrossFitting
  ) -> OBiGrad<Tensor, [Tensor], [Tensor]> {
    OBiGrad(
      outputCount: 1, nuisances: learner, crossFitting: plan,
      innerLoss: { ω, v, _, y in
        let target = sigmoid(matmul(Self.features(y[0]), ω.expandingShape(at: 1)))
        return (softplus(v) - target * v).sum(alongAxis: 1)
      },
      outerLoss: { ω, v, _, y in
        (softplus(v) - sigmoid(y[1]) * v).sum(alongAxis: 1)
      })
  }

  /// Outer parameters in a dictionary, and a penalty on them: the root of the penalised gradient.
  @Test("Structured parameters and penalties") func structuredParametersAndPenalties() throws {
    let data = Data(count: 200)
    let layer = OBiGrad<[String: Tensor], [Tensor], [Tensor]>.quadratic(
      nuisances: polynomials, crossFitting: try plan(200),
      innerTarget: { ω, _, y in ω["scale"]! * sin(ω["rate"]! * y[0]) },
      outerTarget: { _, _, y in y[1] })
    let start = ["scale": Tensor(1), "rate": Tensor(1)]
    let fit = try layer.fit(on: BilevelSample(data.sample), at: start)
    func penalty(_ ω: [String: Tensor]) -> Tensor { 0.1 * square(ω["scale"]! - 1.2) }
    let root = try fit.root(startingAt: start, penalty: penalty)
    #expect(root.names == ["rate", "scale"])
    let point = ["rate": root.value[0], "scale": root.value[1]]
    let slope = try gradient(at: point) { ω in try fit.value(at: ω) + penalty(ω) }
    #expect(abs(slope["scale"]!.scalar) < 1e-9 && abs(slope["rate"]!.scalar) < 1e-9)
  }

  /// Populations on three points with different distributions of the inputs: nuisances in a table are
  /// exact, and the gradient is that of the outer population, without a density ratio.
  @Test("Samples with different inputs need no density ratio")
  func samplesWithDifferentInputsNeedNoDensityRatio() throws {
    func population(_ shares: [Double], _ labels: [[Double]]) -> FunctionalSample<Tensor> {
      // Two equally likely labels at each of three points, six copies of it for the folds.
      let rows = (0..<36).map { $0 % 6 }
      return FunctionalSample(
        inputs: Tensor(rows.map { Double($0 / 2) }, shape: [36, 1]),
        labels: Tensor(rows.map { labels[$0 / 2][$0 % 2] }, shape: [36, 1]),
        weights: Tensor(rows.map { shares[$0 / 2] }))
    }
    let inner = population([0.5, 0.3, 0.2], [[0.1, 0.9], [-0.4, 0.2], [1.0, 0.4]])
    let outer = population([0.1, 0.3, 0.6], [[0.3, 0.1], [0.8, -0.2], [-0.5, 0.6]])
    var plan = CrossFitting(folds: [try Folds(assignment: (0..<36).map { $0 / 6 })])
    plan.allowsDuplicates = true
    let layer = OBiGrad<Tensor, Tensor, Tensor>(
      outputCount: 1, nuisances: .linear(.tabular(count: 3)), crossFitting: plan,
      innerLoss: { ω, v, _, y in (softplus(v) - sigmoid(ω * y) * v).sum(alongAxis: 1) },
      outerLoss: { ω, v, _, y in (0.5 * square(v - y) + ω * v).sum(alongAxis: 1) })
    let point = Tensor(1.3)
    let fit = try layer.fit(on: BilevelSample(inner: inner, outer: outer), at: point)
    let estimate = try fit.hypergradient(at: point)
    // h = logit of the mean of σ(ωy) at each point, by hand.
    let exact = gradient(at: point) { ω in
      var total = Tensor(0)
      for (cell, share) in [0.1, 0.3, 0.6].enumerated() {
        let labels = [[0.1, 0.9], [-0.4, 0.2], [1.0, 0.4]][cell]
        let mean = 0.5 * (sigmoid(ω * labels[0]) + sigmoid(ω * labels[1]))
        let h = log(mean / (1 - mean))
        let outcomes = [[0.3, 0.1], [0.8, -0.2], [-0.5, 0.6]][cell]
        total += share * (0.25 * (square(h - outcomes[0]) + square(h - outcomes[1])) + ω * h)
      }
      return total
    }
    #expect(abs(estimate.value[0].scalar - exact.scalar) < 1e-9)
    #expect(estimate.influence.count == 2)
  }

  @Test("Repeated splits are aggregated by the median")
  func repeatedSplitsAreAggregatedByTheMedian() throws {
    let data = Data()
    let point = Tensor([0.7, -0.2])
    let problem = try AffineProblem(
      inputs: data.x, innerSlope: Self.features(data.t), outcome: data.outcome[0..., 0])
    let repeated = try problem.fit(
      nuisances: polynomials, crossFitting: CrossFitting(repeatCount: 3, seed: 4)
    ).hypergradient(at: point)
    var generatorsDiffer = false
    let singles = try (0..<3).map { repetition in
      var draws = PhiloxGenerator(seed: 4).split(key: UInt64(repetition))
      let folds = try Folds(10, ofRows: 80, using: &draws)
      let single = try problem.fit(
        nuisances: polynomials, crossFitting: CrossFitting(folds: [folds])
      ).hypergradient(at: point)
      generatorsDiffer = generatorsDiffer || single.value.scalars != repeated.value.scalars
      return single.value.scalars
    }
    #expect(generatorsDiffer)
    for coordinate in 0..<2 {
      let median = singles.map { $0[coordinate] }.sorted()[1]
      #expect(abs(repeated.value[coordinate].scalar - median) < 1e-12)
    }
  }

  /// A network for both nuisances: the score is near the one of a kernel, and its own check is clean.
  @Test("Networks can be nuisances") func networksCanBeNuisances() throws {
    let data = Data(count: 600, seed: 9)
    var generator = PhiloxGenerator(seed: 5)
    let network = NetworkClass(
      features: MLP(widths: [1, 16, 8], activation: .tanh, using: &generator),
      head: .closedForm(ridge: 1e-4),
      training: InnerTraining(optimizer: Adam(learningRate: 1e-2), stepCount: 100))
    let point = Tensor([0.9, -0.4])
    let plan = CrossFitting(foldCount: 2, seed: 3)
    let sample = BilevelSample(data.sample)
    let learned = try logistic(.network(network), plan).fit(on: sample, at: point)
      .hypergradient(at: point)
    let kernel = try logistic(
      .kernelRidge(.gaussian(lengthScale: 1), ridge: .fixed(1e-3)), plan
    ).fit(on: sample, at: point).hypergradient(at: point)
    let gap = abs(learned.value - kernel.value) / kernel.standardErrors
    #expect(gap.max().scalar < 0.5)
    let ratio = learned.standardErrors / kernel.standardErrors
    #expect(ratio.max().scalar < 1.1 && ratio.min().scalar > 0.9)
  }
}
