import Autodiff
import Bilevel
import Econometrics
import Inference
import OrthogonalRegression
import RegressionInput
import Testing

@Suite struct OrthogonalIVTests {
  /// Columns side by side.
  private func matrix(_ variables: [Variable]) -> Tensor {
    .stacked(variables.map { Tensor($0.values) }, alongAxis: 1)
  }

  /// The bilevel problem as it is written, in the units of the data: exogenous columns are known.
  private func problem(_ model: InstrumentalModel) throws -> AffineProblem {
    let regressors = model.endogenous + model.exogenous
    return try AffineProblem(
      inputs: matrix(model.instruments + model.varyingExogenous), innerSlope: matrix(regressors),
      outcome: Tensor(model.outcome.values),
      known: .init(slopeColumns: Set(model.endogenous.count..<regressors.count)))
  }

  private func difference(_ a: Tensor, _ b: Tensor) -> Double {
    (abs(a - b) / (abs(a) + abs(b))).max().scalar
  }

  /// With nuisances fitted in sample by least squares the root is two-stage least squares.
  @Test func inSampleLeastSquaresGivesTwoStageLeastSquares() throws {
    let sample = try RegressionSample(.card, from: RegressionSpecification.card.table())
    for model in [sample.model, try LinearDesign().model()] {
      let columns = PivotedQR((model.exogenous + model.instruments).map(\.values))
      let regressors = model.endogenous + model.exogenous
      let fitted = regressors.map { Tensor(columns.projection($0.values)) }
      let root = try problem(model).fit(
        given: AffineNuisances(
          intercept: .zeros([model.observationCount]), slope: .stacked(fitted, alongAxis: 1),
          outcome: Tensor(columns.projection(model.outcome.values)))
      ).root()
      let linear = try TwoStageLeastSquares(model, covariance: .robust).estimates
      let expected = Tensor(regressors.map { linear.parameters[linear.index(of: $0.name) ?? 0] })
      #expect(difference(root.value, expected) < 1e-6)
    }
  }

  /// Taking the exogenous variables out first changes coordinates, not the estimator.
  @Test func partiallingOutIsAChangeOfCoordinates() throws {
    let model = try LinearDesign().model()
    let linear = LinearClass(name: "linear", ridge: 0, hasIntercept: true) { $0 }
    let plan = CrossFitting(foldCount: 4, seed: 3)
    let direct = try problem(model).fit(nuisances: .linear(linear), crossFitting: plan).root()
    var regression = OrthogonalIV()
    regression.learner = FirstStageLearner(.linear)
    regression.crossFitting = plan
    let fit = try regression.fit(model)
    #expect(fit.coefficients.names == ["t", "const", "w1", "w2"])
    #expect(difference(fit.coefficients.value, direct.value) < 1e-9)
    #expect(difference(fit.coefficients.standardErrors, direct.standardErrors) < 1e-8)
    let correlation = difference(fit.coefficients.covariance, direct.covariance)
    #expect(correlation < 1e-6)
  }

  /// With the variables of two-stage least squares and many folds only the noise of the splits is
  /// between the two.
  @Test func linearNuisancesComeNearTwoStageLeastSquares() throws {
    let model = try LinearDesign(count: 2000).model()
    let linear = try TwoStageLeastSquares(model, covariance: .robust).estimates
    let index = try #require(linear.index(of: "t"))
    var regression = OrthogonalIV()
    regression.learner = FirstStageLearner(.linear)
    regression.crossFitting = CrossFitting(foldCount: 20, seed: 1)
    let effect = try regression.fit(model).effects
    let error = linear.standardErrors[index]
    #expect(abs(effect.value.scalars[0] - linear.parameters[index]) < 0.05 * error)
    #expect(abs(effect.standardErrors.scalars[0] / error - 1) < 0.02)
  }

  /// An effect of 2 by every learner.
  @Test(arguments: [
    FirstStageLearner.Kind.kernel, .linear, .polynomial(degree: 2), .network,
  ])
  func everyLearnerFindsTheEffect(kind: FirstStageLearner.Kind) throws {
    var regression = OrthogonalIV()
    regression.learner = FirstStageLearner(kind)
    regression.crossFitting = CrossFitting(foldCount: 3, seed: 1)
    let fit = try regression.fit(try LinearDesign().model())
    let effect = fit.effects
    #expect(abs(effect.zStatistics(null: Tensor([2.0])).scalars[0]) < 3)
    #expect(effect.standardErrors.scalars[0] < 0.06)
    #expect(fit.strengths[0].rSquared > 0.4)
    #expect(fit.strengths[0].rSquaredOfExogenous < 0.1)
    #expect(fit.warnings.isEmpty)
  }

  /// A first stage by products that a linear one does not see.
  @Test func productsOfInstrumentsMoveTheTreatment() throws {
    var generator = PhiloxGenerator(seed: 4)
    let draws = Tensor.normal([4, 800], using: &generator)
    let treatment = draws[0] * draws[1] + 0.5 * draws[2]
    let model = try InstrumentalModel(
      outcome: Variable(name: "y", values: (-1 * treatment + draws[2] + draws[3]).scalars),
      endogenous: [Variable(name: "t", values: treatment.scalars)],
      instruments: (0..<2).map { Variable(name: "z\($0)", values: draws[$0].scalars) },
      exogenous: [])
    var regression = OrthogonalIV()
    regression.learner = FirstStageLearner(.polynomial(degree: 2))
    let fit = try regression.fit(model)
    #expect(abs(fit.effects.zStatistics(null: Tensor([-1.0])).scalars[0]) < 3)
    #expect(fit.strengths[0].rSquared > 0.7)
    regression.learner = FirstStageLearner(.linear)
    let linear = try regression.fit(model)
    #expect(linear.strengths[0].isWeak)
    #expect(linear.warnings.contains { $0.contains("Weak first stage") })
  }

  @Test func theRobustSetIsUnboundedWithoutInstruments() throws {
    var regression = OrthogonalIV()
    regression.learner = FirstStageLearner(.linear)
    let strong = try regression.fit(LinearDesign().model())
    let effect = strong.effects.intervals()
    guard case .interval(let lower, let upper) = try strong.robustSet(level: 0.95) else {
      Issue.record("expected an interval")
      return
    }
    // Nearly the Wald interval where instruments are strong.
    let width = effect.upper.scalars[0] - effect.lower.scalars[0]
    #expect(abs(lower - effect.lower.scalars[0]) < 0.1 * width)
    #expect(abs(upper - effect.upper.scalars[0]) < 0.1 * width)
    let weak = try regression.fit(LinearDesign(strength: 0).model())
    #expect(weak.strengths[0].isWeak)
    let set = try #require(try weak.robustSet(level: 0.95))
    if case .interval = set { Issue.record("expected an unbounded set, found \(set)") }
  }

  @Test func groupsMakeErrorsWider() throws {
    let model = try LinearDesign(count: 400).model()
    // Every row four times, as four rows of one unit.
    func repeated(_ variable: Variable) -> Variable {
      Variable(name: variable.name, values: variable.values.flatMap { [$0, $0, $0, $0] })
    }
    let copies = try InstrumentalModel(
      outcome: repeated(model.outcome), endogenous: model.endogenous.map(repeated),
      instruments: model.instruments.map(repeated),
      exogenous: model.varyingExogenous.map(repeated))
    let groups = (0..<1600).map { $0 / 4 }
    #expect(OrthogonalIV.repeatedRows(of: model) == 0)
    #expect(OrthogonalIV.repeatedRows(of: copies) == 1200)
    #expect(OrthogonalIV.repeatedRows(of: copies, groups: groups) == 0)
    var regression = OrthogonalIV()
    regression.learner = FirstStageLearner(.linear)
    let once = try regression.fit(model).coefficients
    let grouped = try regression.fit(copies, groups: groups).coefficients
    let ratio = grouped.standardErrors / once.standardErrors
    // Copies add nothing: up to the noise of the splits the errors are those of the rows once.
    #expect(abs(ratio - 1).max().scalar < 0.05)
  }

  @Test func whatCannotBeEstimatedIsRefused() throws {
    let model = try LinearDesign(count: 60).model()
    var regression = OrthogonalIV()
    regression.crossFitting = CrossFitting(foldCount: 100)
    #expect(throws: BilevelError.self) { try regression.fit(model) }
    regression = OrthogonalIV()
    regression.features = .logarithm
    let shifted = try InstrumentalModel(
      outcome: model.outcome,
      endogenous: [
        Variable(name: "t", values: model.outcome.values.map { _ in 0 }.indices.map { Double($0) })
      ],
      instruments: model.instruments, exogenous: [])
    #expect(throws: FeatureError.notPositive(name: "t", value: 0)) { try regression.fit(shifted) }
  }
}
