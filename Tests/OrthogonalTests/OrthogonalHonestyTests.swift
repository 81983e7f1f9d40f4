import Autodiff
import Bilevel
import Inference
import Neural
import Orthogonal
import Solvers
import Testing

/// What an orthogonal fit cannot do is refused, and what it does depends on nothing but its arguments.
@Suite("What estimates say of themselves") struct OrthogonalHonestyTests {
  private static let point = Tensor([1, 0.5])

  private static func sample(_ count: Int) -> FunctionalSample<[Tensor]> {
    var generator = PhiloxGenerator(seed: 1)
    let inputs = Tensor.normal([count, 1], using: &generator)
    let noise = Tensor.normal([count, 2], using: &generator)
    let treatment = inputs + 0.5 * noise[0..., 0..<1]
    return FunctionalSample(inputs: inputs, labels: [treatment, treatment + noise[0..., 1..<2]])
  }

  private static func layer(_ learner: NuisanceLearner) -> OBiGrad<Tensor, [Tensor], [Tensor]> {
    OBiGrad(
      outputCount: 1, nuisances: learner, crossFitting: CrossFitting(foldCount: 2),
      innerLoss: { ω, v, _, y in
        (softplus(v) - sigmoid(ω[0] * sin(y[0]) + ω[1]) * v).sum(alongAxis: 1)
      },
      outerLoss: { _, v, _, y in (softplus(v) - sigmoid(y[1]) * v).sum(alongAxis: 1) })
  }

  private static let polynomials = NuisanceLearner.linear(
    LinearClass(ridge: 1e-3, hasIntercept: true) { x in
      Tensor.concatenated([x, x * x], alongAxis: 1)
    })

  private static func affine(groups: [Int]? = nil) throws -> AffineProblem {
    let sample = sample(40)
    return try AffineProblem(
      inputs: sample.inputs, innerSlope: sample.labels[0], outcome: sample.labels[1][0..., 0],
      groups: groups)
  }

  /// An estimate is the same whatever was evaluated before it, also where networks are trained.
  @Test("Estimates have no memory", arguments: [true, false]) func estimatesHaveNoMemory(
    isNetwork: Bool
  ) throws {
    var generator = PhiloxGenerator(seed: 5)
    let network = NetworkClass(
      features: MLP(widths: [1, 8, 4], activation: .tanh, using: &generator),
      head: .closedForm(ridge: 1e-4),
      training: FunctionTraining(optimizer: Adam(learningRate: 1e-2), stepCount: 20))
    let layer = Self.layer(isNetwork ? .network(network) : Self.polynomials)
    let fit = try layer.fit(on: BilevelSample(Self.sample(100)), at: Self.point)
    let first = try fit.hypergradient(at: Self.point)
    _ = try fit.hypergradient(at: Tensor([2, -1]))
    let again = try fit.hypergradient(at: Self.point)
    #expect(first.value.scalars == again.value.scalars)
  }

  /// Rows are set aside for comparisons of classes, which a given class has none of.
  @Test("Few rows are enough for a given class") func fewRowsAreEnoughForAGivenClass() throws {
    let fit = try Self.layer(Self.polynomials).fit(
      on: BilevelSample(Self.sample(3)), at: Self.point)
    #expect(try fit.hypergradient(at: Self.point).value.isFinite)
  }

  @Test("Given folds must not divide groups") func givenFoldsMustNotDivideGroups() throws {
    let problem = try Self.affine(groups: (0..<40).map { $0 / 4 })
    let folds = try Folds(assignment: (0..<40).map { $0 == 9 ? 1 : $0 / 4 % 2 })
    let error = #expect(throws: SolverError.self) {
      try problem.fit(nuisances: Self.polynomials, crossFitting: CrossFitting(folds: [folds]))
    }
    guard case .function(let cause as OrthogonalError) = error else {
      Issue.record("expected a refusal, found \(String(describing: error))")
      return
    }
    #expect(cause == .dividedGroup(group: 2))
    #expect("\(cause)".contains("divide group 2"))
  }

  /// Units of ω do not count: a column times 10⁶ has a coefficient times 10⁻⁶.
  @Test("Roots follow units") func rootsFollowUnits() throws {
    let sample = Self.sample(60)
    let slope = Tensor.concatenated([sin(sample.labels[0]), cos(sample.labels[0])], alongAxis: 1)
    func root(_ unit: Double) throws -> Estimate {
      try AffineProblem(
        inputs: sample.inputs, innerSlope: slope * Tensor([unit, 1]),
        outcome: sample.labels[1][0..., 0]
      ).fit(nuisances: Self.polynomials).root()
    }
    let (one, large) = (try root(1), try root(1e6))
    let back = Tensor([1e6, 1])
    #expect(discrepancy(large.value * back, one.value) < 1e-9)
    #expect(discrepancy(large.standardErrors * back, one.standardErrors) < 1e-9)
  }

  /// Instruments such as times in milliseconds: only their differences count.
  @Test("Far inputs are those near the origin") func farInputsAreThoseNearTheOrigin() throws {
    var generator = PhiloxGenerator(seed: 9)
    let draws = Tensor.uniform([60, 1], from: 0, to: 1024, using: &generator)
    let inputs = Tensor(draws.scalars.map { $0.rounded() }, shape: [60, 1])
    let noise = Tensor.normal([60, 2], using: &generator)
    let treatment = sin(inputs / 200) + 0.3 * noise[0..., 0..<1]
    func gradient(_ origin: Double) throws -> Double {
      try AffineProblem(
        inputs: inputs + origin, innerSlope: treatment,
        outcome: treatment[0..., 0] + 0.3 * noise[0..., 1]
      ).fit(nuisances: .kernelRidge()).hypergradient(at: Tensor([0.5])).value[0].scalar
    }
    let (near, far) = (try gradient(0), try gradient(1.6e12))
    #expect(abs(far / near - 1) < 1e-4)
  }

  /// A summary names what was done about shared noise and not what was asked for.
  @Test("Summaries state the treatment of shared noise")
  func summariesStateTheTreatmentOfSharedNoise() throws {
    func treatment(_ blocks: [Estimate.SummaryBlock]) -> String? {
      blocks.flatMap(\.lines).first { $0.label == "shared noise" }?.text
    }
    let problem = try Self.affine()
    let corrected = try problem.fit(nuisances: Self.polynomials)
    #expect(treatment(corrected.summaryBlocks) == "corrected")
    let plugIn = try problem.fit(.plugIn, nuisances: Self.polynomials)
    #expect(treatment(plugIn.summaryBlocks) == "kept")
    let general = try Self.layer(Self.polynomials).fit(
      on: BilevelSample(Self.sample(40)), at: Self.point)
    #expect(treatment(general.summaryBlocks) == "kept")
  }

  /// An interval that is not valid says so.
  @Test("Summaries of baselines say what they are") func summariesOfBaselinesSayWhatTheyAre() throws
  {
    var layer = Self.layer(Self.polynomials)
    layer.isOrthogonal = false
    let blocks = try layer.fit(on: BilevelSample(Self.sample(40)), at: Self.point).summaryBlocks
    #expect(blocks.flatMap(\.lines).contains { $0.text.contains("its interval is not valid") })
  }

  @Test("Estimates refuse to be differentiated") func estimatesRefuseToBeDifferentiated() async {
    let refusal = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let fit = try Self.layer(Self.polynomials).fit(
        on: BilevelSample(Self.sample(40)), at: Self.point)
      _ = try gradient(at: Self.point) { ω in
        square(ω).sum() + (try fit.objective(at: ω).value.sum())
      }
    }
    #expect(text(refusal).contains("an estimate is a constant of every transform"))
  }

  @Test("Scores of two samples that do not exist") func scoresOfTwoSamplesThatDoNotExist() async {
    let refusal = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let (x, y) = (Tensor.range(20).expandingShape(at: 1), Tensor.range(20))
      let problem = try TwoSampleAffineProblem(
        innerInputs: x, innerSlope: sin(x), outerInputs: x + 0.5, outcome: cos(y))
      _ = try problem.fit(.residual, nuisances: Self.polynomials)
    }
    #expect(text(refusal).contains("use .plugIn"))
  }

  @Test("Halves for layers") func halvesForLayers() async {
    let refusal = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var layer = Self.layer(Self.polynomials)
      layer.crossFitting.sharedNoise = .split
      _ = try layer.fit(on: BilevelSample(Self.sample(40)), at: Self.point)
    }
    #expect(text(refusal).contains("leave .corrected or set .kept"))
  }

  @Test("Levels are stated in percent") func levelsInPercent() async {
    let refusal = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = try Self.affine().fit(nuisances: Self.polynomials).robustSet(level: 95)
    }
    #expect(text(refusal).contains("expected a level between 0 and 1, found 95"))
  }

  private func text(_ result: ExitTest.Result?) -> String {
    String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
  }
}
