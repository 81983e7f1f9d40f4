import Autodiff
import Inference
import Orthogonal
import Testing

/// Evaluations against exact answers: closed forms, other methods, deletion of trajectories.
@Suite("Fitted Q-evaluation") struct FittedQEvaluationTests {
  // MARK: Tables

  /// Two copies of the data as the two folds: what is fitted out of fold is then fitted on the same
  /// numbers, and in a table the root is the empirical solution.
  private func twoCopies(
    of process: SmallProcess, features: StateActionFeatures
  ) throws -> FittedQEvaluation {
    let half = process.states.count / 2
    var plan = CrossFitting(
      folds: [try Folds(assignment: (0..<2 * half).map { $0 < half ? 0 : 1 })])
    plan.allowsDuplicates = true
    plan.sharedNoise = .kept
    return try FittedQEvaluation(
      features: features, discount: 0.8,
      nuisances: .linear(StateActionFeatures.tabular(stateCount: 3).linearClass(stateSize: 1)),
      crossFitting: plan)
  }

  @Test("Tables give the empirical solution") func tablesGiveTheEmpiricalSolution() throws {
    let process = try SmallProcess(trajectories: 60, copies: 2, seed: 3)
    let evaluation = try twoCopies(of: process, features: .tabular(stateCount: 3))
    let expected = process.empiricalActionValues(discount: 0.8)
    for method in [FittedQEvaluation.Method.orthogonal, .plugIn, .temporalDifference] {
      let result = try evaluation.evaluate(
        SmallProcess.policy, on: process.transitions, from: .firstOfTrajectories, by: method)
      let error = zip(result.coefficients.value.scalars, expected).map { abs($0 - $1) }.max()
      #expect((error ?? 1) < 1e-10, "\(method)")
    }
  }

  @Test("Bellman error of a constant is that of its cells")
  func bellmanErrorOfAConstantIsThatOfItsCells() throws {
    let process = try SmallProcess(trajectories: 60, copies: 2, seed: 4)
    let constant = StateActionFeatures(name: "constant") { s, _ in .ones(like: s) }
    let evaluation = try twoCopies(of: process, features: constant)
    let result = try evaluation.evaluate(
      SmallProcess.policy, on: process.transitions, from: .firstOfTrajectories)
    let ω = result.coefficients.value[0].scalar
    var (sums, counts) = ([Double](repeating: 0, count: 6), [Double](repeating: 0, count: 6))
    for row in process.states.indices {
      let pair = 3 * process.actions[row] + process.states[row]
      sums[pair] += process.rewards[row] + (process.isTerminal[row] ? 0 : 0.8 * ω) - ω
      counts[pair] += 1
    }
    let squares = zip(sums, counts).map { $0 * $0 / $1 }.reduce(0, +)
    let expected = (squares / counts.reduce(0, +)).squareRoot()
    let found = try #require(result.bellmanError).rootMeanSquare
    #expect(abs(found - expected) < 1e-10)
    let noise = try #require(result.bellmanError).temporalDifference
    #expect(noise > found)
  }

  // MARK: Other methods

  @Test("Temporal differences solve their equations") func temporalDifferencesSolveTheirEquations()
    throws
  {
    let process = try SineProcess(count: 400, initialCount: 50, PhiloxGenerator(seed: 1))
    let data = process.transitions
    for ridge in [0, 0.3] {
      let evaluation = try FittedQEvaluation(
        features: SineProcess.stateActionFeatures, discount: 0.9, nuisances: SineProcess.learner,
        ridge: ridge)
      let result = try evaluation.evaluate(
        SineProcess.policy, on: data, from: .known(process.initial), by: .temporalDifference)
      let psi = SineProcess.features(data.states, data.actions)
      let after = SineProcess.features(data.nextStates, -0.5 * data.nextStates)
      let slope =
        matmul(psi, psi - 0.9 * after, transposeA: true) / 400 + ridge * Tensor.identity(4)
      let ω = try solve(slope, matmul(psi, data.rewards, transposeA: true) / 400)
      #expect((result.coefficients.value - ω).norm().scalar < 1e-10)
      // The sandwich, row by row.
      let δ = data.rewards + matmul(0.9 * after - psi, ω)
      let rows = psi * δ.expandingShape(at: 1)
      let centred = rows - rows.mean(alongAxis: 0)
      let bread = try solve(slope, centred.transposed())
      let sandwich = matmul(bread, bread, transposeB: true) / (400.0 * 399)
      #expect((result.coefficients.covariance - sandwich).norm().scalar < 1e-10)
    }
  }

  /// Both methods find the action value where the features hold it, and different functions where
  /// they do not; the test of their difference tells which.
  @Test("The methods agree where features suffice") func theMethodsAgreeWhereFeaturesSuffice()
    throws
  {
    let process = try SineProcess(count: 4000, initialCount: 50, PhiloxGenerator(seed: 2))
    func test(_ features: StateActionFeatures) throws -> JointTest {
      let result = try FittedQEvaluation(
        features: features, discount: 0.9, nuisances: SineProcess.learner
      ).evaluate(SineProcess.policy, on: process.transitions, from: .known(process.initial))
      return try #require(result.specificationTest?.value)
    }
    let complete = try test(SineProcess.stateActionFeatures)
    let incomplete = try test(
      StateActionFeatures(name: "two waves") { s, a in
        .concatenated([sin(s), cos(s)], alongAxis: 1)
      })
    #expect(complete.degreesOfFreedom == 4)
    #expect(complete.pValue > 0.05)
    #expect(incomplete.pValue < 1e-6)
  }

  @Test("Gradients are those of the problem") func gradientsAreThoseOfTheProblem() throws {
    let process = try SineProcess(count: 300, initialCount: 20, PhiloxGenerator(seed: 7))
    let evaluation = try FittedQEvaluation(
      features: SineProcess.stateActionFeatures, discount: 0.9, nuisances: SineProcess.learner)
    let result = try evaluation.evaluate(
      SineProcess.policy, on: process.transitions, from: .known(process.initial))
    let point = SineProcess.coefficients + 0.25
    let direct = try evaluation.problem(of: SineProcess.policy, on: process.transitions)
      .fit(nuisances: SineProcess.learner).hypergradient(at: point)
    let found = try result.gradient(at: point)
    #expect((found.value - direct.value).norm().scalar == 0)
    let atRoot = try result.gradient(at: result.coefficients.value).value.norm().scalar
    #expect(atRoot < 1e-12)
    let extremes = (result.slopeSingularValues.first ?? 0, result.slopeSingularValues.last ?? 0)
    #expect(extremes.0 > 0 && abs(result.condition - extremes.1 / extremes.0) < 1e-12)
  }

  // MARK: Errors of the value

  @Test("Initial states add their sampling error") func initialStatesAddTheirSamplingError() throws
  {
    let process = try SineProcess(count: 500, initialCount: 40, PhiloxGenerator(seed: 5))
    let evaluation = try FittedQEvaluation(
      features: SineProcess.stateActionFeatures, discount: 0.9, nuisances: SineProcess.learner)
    func value(_ initial: InitialStates) throws -> (PolicyEvaluation, Double) {
      let result = try evaluation.evaluate(
        SineProcess.policy, on: process.transitions, from: initial)
      return (result, result.value.standardErrors[0].scalar)
    }
    let (known, knownError) = try value(.known(process.initial))
    let (sample, sampleError) = try value(.sample(process.initial))
    #expect(known.value.value[0].scalar == sample.value.value[0].scalar)
    let psi = SineProcess.features(process.initial, -0.5 * process.initial)
    let values = matmul(psi, known.coefficients.value)
    let variance = square(values - values.mean()).sum().scalar / (39.0 * 40)
    #expect(abs(sampleError * sampleError - knownError * knownError - variance) < 1e-12)
    let mean = psi.mean(alongAxis: 0)
    let linear = matmul(mean, matmul(known.coefficients.covariance, mean)).scalar
    #expect(abs(knownError * knownError - linear) < 1e-12)
  }

  /// Standard errors with trajectories against those by leaving out a trajectory at a time, of the
  /// value and of the difference between two policies.
  @Test("Clustered errors agree with the jackknife") func clusteredErrorsAgreeWithTheJackknife()
    throws
  {
    let process = try SmallProcess(trajectories: 150, seed: 6)
    let evaluation = try FittedQEvaluation(
      features: .tabular(stateCount: 3), discount: 0.8,
      nuisances: .linear(.tabular(count: 3)))
    let other = EvaluationPolicy.deterministic { s in
      .concatenated([.zeros(like: s), .ones(like: s)], alongAxis: 1)
    }
    func estimates(_ data: Transitions) throws -> [Estimate] {
      let values = try [SmallProcess.policy, other].map {
        try evaluation.evaluate($0, on: data, from: .firstOfTrajectories, by: .temporalDifference)
          .value
      }
      return [values[0], values[0] - values[1]]
    }
    let all = process.transitions
    let trajectories = try #require(all.trajectories)
    let found = try estimates(all).map { $0.standardErrors[0].scalar }
    var left: [[Double]] = []
    for trajectory in 0..<150 {
      let rows = trajectories.indices.filter { trajectories[$0] != trajectory }
      let index = Tensor(indices: rows)
      let data = try Transitions(
        states: all.states.gathering(index, alongAxis: 0),
        actions: all.actions.gathering(index, alongAxis: 0),
        rewards: all.rewards.gathering(index, alongAxis: 0),
        nextStates: all.nextStates.gathering(index, alongAxis: 0),
        isTerminal: rows.map { process.isTerminal[$0] },
        trajectories: rows.map { trajectories[$0] })
      left.append(try estimates(data).map { $0.value[0].scalar })
    }
    for statistic in 0..<2 {
      let values = left.map { $0[statistic] }
      let mean = values.reduce(0, +) / 150
      let squares = values.map { ($0 - mean) * ($0 - mean) }.reduce(0, +)
      let jackknife = (149.0 / 150 * squares).squareRoot()
      #expect(abs(found[statistic] / jackknife - 1) < 0.03)
    }
  }

  /// A basis of the same functions has the same values and errors; what is linearly dependent goes.
  @Test("Orthonormal features span the same functions")
  func orthonormalFeaturesSpanTheSameFunctions() throws {
    let process = try SineProcess(count: 400, initialCount: 30, PhiloxGenerator(seed: 10))
    let skewed = StateActionFeatures(name: "skewed") { s, a in
      let psi = SineProcess.features(s, a)
      return .concatenated([psi + 10 * psi[0..., 0..<1], psi[0..., 3..<4]], alongAxis: 1)
    }
    func evaluated(_ features: StateActionFeatures) throws -> PolicyEvaluation {
      try FittedQEvaluation(features: features, discount: 0.9, nuisances: SineProcess.learner)
        .evaluate(SineProcess.policy, on: process.transitions, from: .sample(process.initial))
    }
    let orthonormal = try skewed.orthonormalized(on: process.transitions)
    let psi = try orthonormal(process.transitions.states, process.transitions.actions)
    let gram = matmul(psi, psi, transposeA: true) / 400
    #expect((gram - Tensor.identity(4)).norm().scalar < 1e-10)
    let plain = try evaluated(SineProcess.stateActionFeatures)
    let found = try evaluated(orthonormal)
    // The ridge of the nuisances, 10⁻⁶, is not invariant.
    let difference = (found.value - plain.value).value[0].scalar
    #expect(abs(difference) < 1e-3 * plain.value.standardErrors[0].scalar)
    #expect(
      abs(found.value.standardErrors[0].scalar / plain.value.standardErrors[0].scalar - 1) < 1e-3)
  }

  @Test("Recorded actions are those of a policy") func recordedActionsAreThoseOfAPolicy() throws {
    let process = try SineProcess(count: 300, initialCount: 30, PhiloxGenerator(seed: 8))
    let evaluation = try FittedQEvaluation(
      features: SineProcess.stateActionFeatures, discount: 0.9, nuisances: SineProcess.learner)
    let recorded = EvaluationPolicy.recorded(
      nextActions: -0.5 * process.transitions.nextStates, initialActions: -0.5 * process.initial)
    let values = try [SineProcess.policy, recorded].map {
      try evaluation.evaluate($0, on: process.transitions, from: .sample(process.initial))
        .value.value[0].scalar
    }
    #expect(values[0] == values[1])
  }

  @Test("Summaries say what intervals cover") func summariesSayWhatIntervalsCover() throws {
    let process = try SineProcess(count: 300, initialCount: 30, PhiloxGenerator(seed: 8))
    let evaluation = try FittedQEvaluation(
      features: SineProcess.stateActionFeatures, discount: 0.9, nuisances: SineProcess.learner)
    for method in FittedQEvaluation.Method.allCases {
      let text = try evaluation.evaluate(
        SineProcess.policy, on: process.transitions, from: .sample(process.initial), by: method
      ).summary()
      #expect(text.contains("What the interval covers"))
      #expect(text.contains("the bias") == (method == .plugIn || method == .residual), "\(text)")
      #expect(text.contains("Bellman error") == (method == .orthogonal))
    }
  }
}
