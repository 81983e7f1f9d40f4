import Autodiff
import Econometrics
import Inference
import Orthogonal
import OrthogonalRegression
import RegressionInput
import Solvers
import Testing

@Suite("Orthogonal IV") struct OrthogonalIVTests {
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

  private func difference(_ a: Double, _ b: Double) -> Double { abs(a - b) / (abs(a) + abs(b)) }

  /// With nuisances fitted in sample by least squares the root is two-stage least squares.
  @Test("In-sample least squares gives two-stage least squares")
  func inSampleLeastSquaresGivesTwoStageLeastSquares() throws {
    let model = try LinearDesign().model()
    let columns = PivotedQR((model.exogenous + model.instruments).map(\.values))
    let regressors = model.endogenous + model.exogenous
    let fitted = regressors.map { Tensor(columns.projection($0.values)) }
    let root = try problem(model).fit(
      given: AffineNuisances(
        intercept: .zeros([model.observationCount]), slope: .stacked(fitted, alongAxis: 1),
        outcome: Tensor(columns.projection(model.outcome.values)))
    ).root()
    let linear = try TwoStageLeastSquares(model, covariance: .robust).estimates
    for (variable, value) in zip(regressors, root.value.scalars) {
      let index = try #require(linear.index(of: variable.name))
      #expect(difference(value, linear.parameters[index]) < 1e-9)
    }
  }

  /// The same on Card's data, the exogenous variables taken out by least squares first.
  @Test("Card by sample least squares") func cardBySampleLeastSquares() throws {
    let model = try RegressionSample(.card, from: RegressionSpecification.card.table()).model
    let exogenous = PivotedQR(model.exogenous.map(\.values))
    let columns = PivotedQR((model.exogenous + model.instruments).map(\.values))
    let (treatment, outcome) = (
      exogenous.residual(model.endogenous[0].values), exogenous.residual(model.outcome.values)
    )
    let root = try AffineProblem(
      inputs: matrix(model.instruments),
      innerSlope: Tensor(treatment).expandingShape(at: 1), outcome: Tensor(outcome)
    ).fit(
      given: AffineNuisances(
        intercept: .zeros([model.observationCount]),
        slope: Tensor(columns.projection(treatment)).expandingShape(at: 1),
        outcome: Tensor(columns.projection(outcome)))
    ).root()
    #expect(difference(root.value.scalars[0], 0.131503775) < 1e-6)
  }

  /// Residual on residual by hand, with least squares by QR on each training fold.
  @Test("Linear nuisances are residuals on residuals") func linearNuisancesAreResidualsOnResiduals()
    throws
  {
    let model = try LinearDesign(count: 300).model()
    let rowCount = model.observationCount
    let folds = try Folds(assignment: (0..<rowCount).map { ($0 / 7) % 4 })
    var regression = OrthogonalIV()
    regression.learner = FirstStageLearner(.linear)
    regression.crossFitting = CrossFitting(folds: [folds])
    let fit = try regression.fit(model)

    /// Out-of-fold predictions by least squares.
    func predictions(of target: [Double], on columns: [Variable]) -> [Double] {
      var result = target
      for fold in 0..<4 {
        let training = (0..<rowCount).filter { folds.assignment[$0] != fold }
        let weights = PivotedQR(columns.map { column in training.map { column.values[$0] } })
          .coefficients(training.map { target[$0] })
        for row in 0..<rowCount where folds.assignment[row] == fold {
          result[row] = zip(columns, weights).reduce(0) { $0 + $1.0.values[row] * $1.1 }
        }
      }
      return result
    }
    func parts(_ target: [Double]) -> (left: Tensor, predicted: Tensor) {
      let alone = Tensor(predictions(of: target, on: model.exogenous))
      let all = Tensor(predictions(of: target, on: model.exogenous + model.instruments))
      return (Tensor(target) - alone, all - alone)
    }
    let (t, j) = parts(model.endogenous[0].values)
    let (y, m) = parts(model.outcome.values)
    let slope = (j * t + (t - j) * j).mean().scalar
    let effect = (j * y + (t - j) * m).mean().scalar / slope
    let rows = (j * (effect * t - y) + (t - j) * (effect * j - m)).scalars
    let error =
      (rows.reduce(0) { $0 + $1 * $1 } / Double(rowCount - 1) / Double(rowCount))
      .squareRoot() / slope
    #expect(fit.coefficients.names == ["t", "const", "w1", "w2"])
    #expect(difference(fit.coefficients.value.scalars[0], effect) < 1e-10)
    #expect(difference(fit.coefficients.standardErrors.scalars[0], error) < 1e-9)

    let left = zip(model.outcome.values, model.endogenous[0].values).map { $0 - effect * $1 }
    let exogenous = PivotedQR(model.exogenous.map(\.values)).coefficients(left)
    for (value, expected) in zip(fit.coefficients.value.scalars.dropFirst(), exogenous) {
      #expect(difference(value, expected) < 1e-9)
    }
  }

  /// With the variables of two-stage least squares and many folds only the noise of the splits is
  /// between the two.
  @Test("Linear nuisances come near two-stage least squares")
  func linearNuisancesComeNearTwoStageLeastSquares() throws {
    let model = try LinearDesign(count: 2000).model()
    let linear = try TwoStageLeastSquares(model, covariance: .robust).estimates
    let index = try #require(linear.index(of: "t"))
    var regression = OrthogonalIV()
    regression.learner = FirstStageLearner(.linear)
    regression.crossFitting = CrossFitting(foldCount: 20, seed: 1)
    let effect = try regression.fit(model).effects
    let error = linear.standardErrors[index]
    #expect(abs(effect.value.scalars[0] - linear.parameters[index]) < 0.1 * error)
    // The standard errors of the exogenous coefficients, which come by another way, too.
    let coefficients = try regression.fit(model).coefficients
    for (name, found) in zip(coefficients.names, coefficients.standardErrors.scalars) {
      let other = try #require(linear.index(of: name))
      #expect(abs(found / linear.standardErrors[other] - 1) < 0.02)
    }
  }

  /// On Card's weak instrument too.
  @Test("Card by linear nuisances") func cardByLinearNuisances() throws {
    let model = try RegressionSample(.card, from: RegressionSpecification.card.table()).model
    var regression = OrthogonalIV()
    regression.learner = FirstStageLearner(.linear)
    regression.crossFitting = CrossFitting(foldCount: 5, repeatCount: 10, seed: 1)
    let fit = try regression.fit(model)
    let effect = fit.effects.value.scalars[0]
    #expect(abs(effect - 0.131503775) < 0.2 * 0.053999521)
    #expect(!fit.strengths[0].restsOnExogenous)
    // A kernel finds schooling in the nonlinear part of experience, which is age less schooling.
    regression.learner = FirstStageLearner(.kernel)
    regression.crossFitting = CrossFitting(foldCount: 2, seed: 1)
    let kernel = try regression.fit(model)
    #expect(kernel.strengths[0].restsOnExogenous)
    #expect(kernel.warnings.contains { $0.contains("functional form") })
  }

  /// An effect of 2 by every learner.
  @Test(
    "Every learner finds the effect",
    arguments: [
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
  @Test("Products of instruments move the treatment") func productsOfInstrumentsMoveTheTreatment()
    throws
  {
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

  @Test("The robust set is unbounded without instruments")
  func theRobustSetIsUnboundedWithoutInstruments() throws {
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

  @Test("Groups make errors wider") func groupsMakeErrorsWider() throws {
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

  @Test("What cannot be estimated is refused") func whatCannotBeEstimatedIsRefused() throws {
    let model = try LinearDesign(count: 60).model()
    var regression = OrthogonalIV()
    regression.crossFitting = CrossFitting(foldCount: 100)
    #expect(throws: SolverError.self) { try regression.fit(model) }
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
