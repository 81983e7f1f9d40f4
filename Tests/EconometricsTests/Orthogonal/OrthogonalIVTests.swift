import Autodiff
import Econometrics
import Inference
import Orthogonal
import Solvers
import Testing

@Suite("Orthogonal instrumental variables")
struct OrthogonalIVTests {
  /// Columns side by side.
  private func matrix(_ variables: [Variable]) -> Tensor {
    .stacked(variables.map(\.column), alongAxis: 1)
  }

  /// The bilevel problem as it is written, in the units of the data: exogenous columns are known.
  private func problem(_ model: InstrumentalModel) throws -> AffineProblem {
    let regressors = model.endogenous + model.exogenous
    return try AffineProblem(
      inputs: matrix(model.instruments + model.varyingExogenous), innerSlope: matrix(regressors),
      outcome: model.outcome.column,
      known: .init(slopeColumns: Set(model.endogenous.count..<regressors.count)))
  }

  private func difference(_ a: Double, _ b: Double) -> Double { abs(a - b) / (abs(a) + abs(b)) }

  @Test("With nuisances fitted in sample by least squares the root is two-stage least squares")
  func inSampleLeastSquaresGivesTwoStageLeastSquares() throws {
    let model = try LinearDesign().model()
    let columns = PivotedQR((model.exogenous + model.instruments).map(\.column))
    let regressors = model.endogenous + model.exogenous
    let fitted = regressors.map { columns.projection($0.column) }
    let root = try problem(model).fit(
      given: AffineNuisances(
        intercept: .zeros([model.observationCount]), slope: .stacked(fitted, alongAxis: 1),
        outcome: columns.projection(model.outcome.column))
    ).root()
    let linear = try TwoStageLeastSquares(model, covariance: .robust).estimates
    for (variable, value) in zip(regressors, root.value.scalars) {
      let index = try #require(linear.index(of: variable.name))
      #expect(difference(value, linear.parameters[index]) < 1e-9)
    }
  }

  @Test("The same on Card's data, the exogenous variables taken out by least squares first")
  func cardBySampleLeastSquares() throws {
    let model = try CardData.model()
    let exogenous = PivotedQR(model.exogenous.map(\.column))
    let columns = PivotedQR((model.exogenous + model.instruments).map(\.column))
    let (treatment, outcome) = (
      exogenous.residual(model.endogenous[0].column), exogenous.residual(model.outcome.column)
    )
    let root = try AffineProblem(
      inputs: matrix(model.instruments),
      innerSlope: treatment.expandingShape(at: 1), outcome: outcome
    ).fit(
      given: AffineNuisances(
        intercept: .zeros([model.observationCount]),
        slope: columns.projection(treatment).expandingShape(at: 1),
        outcome: columns.projection(outcome))
    ).root()
    #expect(difference(root.value.scalars[0], 0.131503775) < 1e-6)
  }

  @Test("Linear nuisances are residuals on residuals, by hand with QR on each training fold")
  func linearNuisancesAreResidualsOnResiduals() throws {
    let model = try LinearDesign(count: 300).model()
    let rowCount = model.observationCount
    let folds = try Folds(assignment: (0..<rowCount).map { ($0 / 7) % 4 })
    var regression = OrthogonalIV()
    regression.learner = FirstStageLearner(.linear)
    regression.crossFitting = CrossFitting(folds: [folds])
    let fit = try regression.fit(model)

    /// Out-of-fold predictions by least squares.
    func predictions(of target: Tensor, on variables: [Variable]) -> Tensor {
      let parts = (0..<4).map { fold in
        let columns = variables.map { $0.column.gathering(folds.training(fold), alongAxis: 0) }
        let weights = PivotedQR(columns)
          .coefficients(target.gathering(folds.training(fold), alongAxis: 0))
        return matmul(matrix(variables).gathering(folds.held(fold), alongAxis: 0), weights)
      }
      return .reassembled(parts, at: (0..<4).map { folds.held($0) })
    }
    func parts(_ target: Tensor) -> (left: Tensor, predicted: Tensor) {
      let alone = predictions(of: target, on: model.exogenous)
      return (
        target - alone, predictions(of: target, on: model.exogenous + model.instruments) - alone
      )
    }
    let (t, j) = parts(model.endogenous[0].column)
    let (y, m) = parts(model.outcome.column)
    let slope = (j * t + (t - j) * j).mean().scalar
    let effect = (j * y + (t - j) * m).mean().scalar / slope
    let rows = (j * (effect * t - y) + (t - j) * (effect * j - m)).scalars
    let error =
      (rows.reduce(0) { $0 + $1 * $1 } / Double(rowCount - 1) / Double(rowCount))
      .squareRoot() / slope
    #expect(fit.coefficients.names == ["t", "const", "w1", "w2"])
    #expect(difference(fit.coefficients.value.scalars[0], effect) < 1e-10)
    #expect(difference(fit.coefficients.standardErrors.scalars[0], error) < 1e-9)

    let left = model.outcome.column - effect * model.endogenous[0].column
    let exogenous = PivotedQR(model.exogenous.map(\.column)).coefficients(left).scalars
    for (value, expected) in zip(fit.coefficients.value.scalars.dropFirst(), exogenous) {
      #expect(difference(value, expected) < 1e-9)
    }
  }

  @Test("With many folds only the noise of the splits is between linear nuisances and 2SLS")
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

  @Test("On Card's weak instrument too")
  func cardByLinearNuisances() throws {
    let model = try CardData.model()
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
    "Every learner finds an effect of 2",
    arguments: [FirstStageLearner.Kind.kernel, .linear, .polynomial(degree: 2), .network])
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

  @Test("Products of instruments move the treatment, which a linear first stage does not see")
  func productsOfInstrumentsMoveTheTreatment() throws {
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
    let set = try #require(try strong.robustSet())
    #expect(set.kind == .interval)
    let (lower, upper) = try (#require(set.lower), #require(set.upper))
    // Nearly the Wald interval where instruments are strong.
    let width = effect.upper.scalars[0] - effect.lower.scalars[0]
    #expect(abs(lower - effect.lower.scalars[0]) < 0.1 * width)
    #expect(abs(upper - effect.upper.scalars[0]) < 0.1 * width)
    let weak = try regression.fit(LinearDesign(strength: 0).model())
    #expect(weak.strengths[0].isWeak)
    #expect(try #require(try weak.robustSet()).kind != .interval)
  }

  @Test("Copies in one cluster add nothing to the errors")
  func groupsMakeErrorsWider() throws {
    let model = try LinearDesign(count: 400).model()
    // Every row four times, as four rows of one unit.
    func repeated(_ variable: Variable) -> Variable {
      Variable(name: variable.name, values: variable.values.flatMap { [$0, $0, $0, $0] })
    }
    func copies(clusters: [Int]? = nil) throws -> InstrumentalModel {
      try InstrumentalModel(
        outcome: repeated(model.outcome), endogenous: model.endogenous.map(repeated),
        instruments: model.instruments.map(repeated),
        exogenous: model.varyingExogenous.map(repeated), clusters: clusters)
    }
    let clustered = try copies(clusters: (0..<1600).map { $0 / 4 })
    #expect(model.repeatedRowCount == 0)
    #expect(try copies().repeatedRowCount == 1200)
    #expect(clustered.repeatedRowCount == 0)
    var regression = OrthogonalIV()
    regression.learner = FirstStageLearner(.linear)
    let once = try regression.fit(model).coefficients
    let grouped = try regression.fit(clustered).coefficients
    let ratio = grouped.standardErrors / once.standardErrors
    // Copies add nothing: up to the noise of the splits the errors are those of the rows once.
    #expect(abs(ratio - 1).max().scalar < 0.05)
  }

  @Test("What cannot be estimated is refused")
  func whatCannotBeEstimatedIsRefused() throws {
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
