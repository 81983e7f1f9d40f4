import Autodiff
import Inference
import Orthogonal
import Testing

/// Coverage over seeded replications of processes whose action values are known.
@Suite("Fitted Q-evaluation in simulations") struct FittedQEvaluationSimulationTests {
  private struct Outcome {
    var covered = 0
    var errors: [Double] = []

    mutating func add(_ value: Estimate, truth: Double) {
      let intervals = value.intervals()
      if intervals.lower[0].scalar <= truth, truth <= intervals.upper[0].scalar { covered += 1 }
      errors.append(value.value[0].scalar - truth)
    }

    /// The mean error in its Monte Carlo standard errors.
    var biasInErrors: Double {
      let count = Double(errors.count)
      let mean = errors.reduce(0, +) / count
      let variance = errors.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / (count - 1)
      return mean / (variance / count).squareRoot()
    }
  }

  private func outcomes(
    _ evaluation: FittedQEvaluation, _ policy: EvaluationPolicy, truth: Double, replications: Int,
    _ draw: (PhiloxGenerator) throws -> (Transitions, Tensor)
  ) throws -> [FittedQEvaluation.Method: Outcome] {
    var outcomes: [FittedQEvaluation.Method: Outcome] = [:]
    let generator = PhiloxGenerator(seed: 20)
    for replication in 0..<replications {
      let (transitions, initial) = try draw(generator.split(key: UInt64(replication)))
      for method in FittedQEvaluation.Method.allCases {
        let result = try evaluation.evaluate(
          policy, on: transitions, from: .sample(initial), by: method)
        outcomes[method, default: Outcome()].add(result.value, truth: truth)
      }
    }
    return outcomes
  }

  /// Three Monte Carlo standard errors about 95 %.
  private func covers(_ outcome: Outcome?, of replications: Int) -> Bool {
    let rate = Double(outcome?.covered ?? 0) / Double(replications)
    return abs(rate - 0.95) <= 3 * (0.95 * 0.05 / Double(replications)).squareRoot()
  }

  @Test("Intervals cover on the sine process") func intervalsCoverOnTheSineProcess() throws {
    let evaluation = try FittedQEvaluation(
      features: SineProcess.stateActionFeatures, discount: 0.9, nuisances: SineProcess.learner)
    let outcomes = try outcomes(
      evaluation, SineProcess.policy, truth: SineProcess.value, replications: 200
    ) { generator in
      let process = try SineProcess(count: 500, initialCount: 200, generator)
      return (process.transitions, process.initial)
    }
    #expect(covers(outcomes[.orthogonal], of: 200))
    #expect(covers(outcomes[.temporalDifference], of: 200))
    let bias = try #require(outcomes[.residual]).biasInErrors
    #expect(abs(bias) > 20)
    let missed = 200 - (outcomes[.residual]?.covered ?? 200)
    #expect(missed > 100)
  }

  @Test("Intervals cover on the linear quadratic process")
  func intervalsCoverOnTheLinearQuadraticProcess() throws {
    let evaluation = try FittedQEvaluation(
      features: LinearQuadraticProcess.stateActionFeatures, discount: 0.9,
      nuisances: .linear(.polynomials(inputSize: 2, degree: 4, ridge: 1e-6)))
    let outcomes = try outcomes(
      evaluation, LinearQuadraticProcess.policy, truth: LinearQuadraticProcess.value,
      replications: 150
    ) { generator in
      let process = try LinearQuadraticProcess(count: 1000, initialCount: 300, generator)
      return (process.transitions, process.initial)
    }
    #expect(covers(outcomes[.orthogonal], of: 150))
    #expect(covers(outcomes[.temporalDifference], of: 150))
    #expect(!covers(outcomes[.residual], of: 150))
  }

  /// Cross-fitted kernel nuisances give the root of exact ones up to terms of higher order.
  @Test("Estimated nuisances act like exact ones") func estimatedNuisancesActLikeExactOnes() throws
  {
    let process = try SineProcess(count: 2000, initialCount: 10, PhiloxGenerator(seed: 9))
    let evaluation = try FittedQEvaluation(
      features: SineProcess.stateActionFeatures, discount: 0.9,
      nuisances: .kernelRidge(.gaussian(lengthScale: 2), ridge: .rate(constant: 0.016, power: 0.4)))
    func root(_ method: FittedQEvaluation.Method) throws -> Estimate {
      try evaluation.evaluate(
        SineProcess.policy, on: process.transitions, from: .known(process.initial), by: method
      ).coefficients
    }
    let oracle = try evaluation.problem(of: SineProcess.policy, on: process.transitions)
      .fit(given: process.nuisances).root()
    let errors = oracle.standardErrors
    let orthogonal = ((try root(.orthogonal).value - oracle.value) / errors).normInfinity().scalar
    let plugIn = ((try root(.plugIn).value - oracle.value) / errors).normInfinity().scalar
    #expect(orthogonal < 0.5)
    #expect(plugIn > 2)
  }
}
