import Autodiff
import Bilevel
import Inference
import Orthogonal
import Testing

/// Fitted Q-evaluation with exact features of a table and default nuisances, at discounts near one.
@Suite("Tabular coverage") struct TabularCoverageTests {
  /// A ring of four states; each of two actions moves forward, action 1 more often.
  private struct Ring {
    static let forward = [0.3, 0.8]
    static let rewards = [1.0, 0, -0.5, 2]
    /// A cell for each state and action, from (state, action 0, action 1).
    static let table = LinearClass(name: "table", ridge: 0) { x in
      let cell = 2 * x[0..., 0] + x[0..., 2]
      return (cell.expandingShape(at: 1) .== Tensor.range(8).expandingShape(at: 0))
        .cast(to: .float64)
    }
    /// Action 1 with probability 0.7 everywhere.
    static let policy = EvaluationPolicy.stochastic(actionCount: 2) { states in
      .concatenated([.zeros(like: states) + 0.3, .zeros(like: states) + 0.7], alongAxis: 1)
    }

    /// The value of the policy from a uniform start, by the fixed point of its Bellman equation;
    /// `end` is the probability that the process ends after a transition.
    static func value(discount: Double, end: Double) -> Double {
      let move = 0.3 * forward[0] + 0.7 * forward[1]
      var values = [Double](repeating: 0, count: 4)
      for _ in 0..<5000 {
        values = (0..<4).map { state in
          let next = move * values[(state + 1) % 4] + (1 - move) * values[state]
          return rewards[state] + discount * (1 - end) * next
        }
      }
      return values.reduce(0, +) / 4
    }

    static func log(count: Int, end: Double, _ generator: PhiloxGenerator) throws -> Transitions {
      var draws = generator
      var (states, actions, rewards, next): ([Double], [Double], [Double], [Double]) = (
        [], [], [], []
      )
      var ends: [Bool] = []
      for _ in 0..<count {
        let state = Int.random(in: 0..<4, using: &draws)
        let action = Int.random(in: 0..<2, using: &draws)
        let moves = Double.random(in: 0..<1, using: &draws) < forward[action]
        states.append(Double(state))
        actions.append(Double(action))
        rewards.append(Self.rewards[state] + Double.random(in: -1..<1, using: &draws))
        next.append(Double(moves ? (state + 1) % 4 : state))
        ends.append(Double.random(in: 0..<1, using: &draws) < end)
      }
      return try Transitions(
        states: Tensor(states).expandingShape(at: 1),
        actions: try Transitions.oneHot(actions, count: 2), rewards: Tensor(rewards),
        nextStates: Tensor(next).expandingShape(at: 1), isTerminal: ends)
    }
  }

  /// Of an independent simulation: the orthogonal interval covers 86 % there, that of LSTD 95 %, where the
  /// t statistic of the slope is 4.5; and 92 to 95 % where it is above ten.
  @Test(
    "A discount near one with few ends makes the slope uncertain, which is said",
    arguments: [(2000, 0.99, 0.02, true), (2000, 0.95, 0.02, false), (400, 0.99, 0.0, false)])
  func uncertainSlopesAreSaid(count: Int, discount: Double, end: Double, warns: Bool) throws {
    let initial = Tensor.range(4).expandingShape(at: 1)
    var plan = CrossFitting(foldCount: 5)
    plan.allowsDuplicates = true
    let evaluation = try FittedQEvaluation(
      features: .tabular(stateCount: 4), discount: discount,
      nuisances: .linear(Ring.table), crossFitting: plan)
    let data = try Ring.log(count: count, end: end, PhiloxGenerator(seed: 5))
    let result = try evaluation.evaluate(Ring.policy, on: data, from: .known(initial))
    let uncertainty = try #require(result.slopeUncertainty)
    let expected = warns ? 0.22 : end > 0 ? 0.091 : 0.05
    #expect(abs(uncertainty - expected) < 0.3 * expected, "\(uncertainty)")
    #expect(result.warnings.isEmpty == !warns)
    #expect(result.summary().contains("chance in the slope of the score, uncertain by") == warns)
    let temporal = try evaluation.evaluate(
      Ring.policy, on: data, from: .known(initial), by: .temporalDifference)
    #expect(temporal.slopeUncertainty == nil)
    #expect(temporal.warnings.isEmpty)
  }

  @Test(
    "Intervals cover the exact value as those of LSTD do",
    arguments: [(0.95, 0.0), (0.99, 0.0), (0.9, 0.05)])
  func intervalsCover(discount: Double, end: Double) throws {
    let replications = 60
    let truth = Ring.value(discount: discount, end: end)
    let initial = Tensor.range(4).expandingShape(at: 1)
    var plan = CrossFitting(foldCount: 5)
    plan.allowsDuplicates = true
    let evaluation = try FittedQEvaluation(
      features: .tabular(stateCount: 4), discount: discount, crossFitting: plan)
    var covered: [FittedQEvaluation.Method: Int] = [:]
    var distance = 0.0
    for replication in 0..<replications {
      let generator = PhiloxGenerator(seed: 31).split(key: UInt64(replication))
      let data = try Ring.log(count: 400, end: end, generator)
      let values = try [FittedQEvaluation.Method.orthogonal, .temporalDifference].map { method in
        let value = try evaluation.evaluate(
          Ring.policy, on: data, from: .known(initial), by: method
        ).value
        let error = abs(value.value[0].scalar - truth)
        if error <= 1.96 * value.standardErrors[0].scalar { covered[method, default: 0] += 1 }
        return value
      }
      distance += abs((values[0] - values[1]).value[0].scalar) / values[1].standardErrors[0].scalar
    }
    // Three Monte Carlo standard errors below 95 %.
    #expect((covered[.temporalDifference] ?? 0) >= 52)
    #expect((covered[.orthogonal] ?? 0) >= 52)
    // The same statistic, but for the chance of the splits.
    #expect(distance / Double(replications) < 0.5)
  }
}
