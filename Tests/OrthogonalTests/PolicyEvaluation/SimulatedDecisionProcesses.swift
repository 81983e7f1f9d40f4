import Autodiff
import Bilevel
import Foundation
import Orthogonal
import TestSupport

/// S ~ N(0, 1), A = −0.3 S + 0.8 ν, S′ = 0.7 S + 0.4 A + 0.5 ξ, the policy a = −0.5 s and γ = 0.9;
/// rewards are such that Q = ω*ᵀψ with ψ of sines and cosines.
struct SineProcess {
  static let coefficients = Tensor([1, 0.5, -0.5, 0.8])
  static let policy = EvaluationPolicy.deterministic { -0.5 * $0 }
  /// E[ω*ᵀψ(s, −0.5 s)] for s ~ N(0, 1).
  static let value = 0.5 * exp(-0.5) + 0.8 * exp(-0.125)

  let transitions: Transitions
  let initial: Tensor
  /// E[γ ψ(S′, π) | S, A] and E[R | S, A].
  let nuisances: AffineNuisances

  init(count: Int, initialCount: Int, _ generator: PhiloxGenerator) throws {
    var draws = generator
    func normal(_ rows: Int) -> Tensor { .normal([rows, 1], using: &draws) }
    let s = normal(count)
    let a = -0.3 * s + 0.8 * normal(count)
    let mean = 0.7 * s + 0.4 * a
    let (full, half) = (exp(-0.125), exp(-0.03125))
    let next =
      0.9
      * Tensor.concatenated(
        [full * sin(mean), full * cos(mean), half * sin(0.5 * mean), half * cos(0.5 * mean)],
        alongAxis: 1)
    let expected = matmul(Self.features(s, a) - next, Self.coefficients)
    transitions = try Transitions(
      states: s, actions: a, rewards: expected + 0.3 * normal(count)[0..., 0],
      nextStates: mean + 0.5 * normal(count))
    initial = normal(initialCount)
    nuisances = AffineNuisances(intercept: expected, slope: next, outcome: .zeros([count]))
  }

  static func features(_ s: Tensor, _ a: Tensor) -> Tensor {
    .concatenated([sin(s), cos(s), sin(s + a), cos(s + a)], alongAxis: 1)
  }

  static let stateActionFeatures = StateActionFeatures(name: "sines", features)

  /// A class that holds the nuisances.
  static let learner = NuisanceLearner.linear(
    LinearClass(name: "waves", ridge: 1e-6, hasIntercept: true) { x in
      let (s, a) = (x[0..., 0], x[0..., 1])
      let mean = 0.7 * s + 0.4 * a
      return .stacked(
        [s, s + a, mean, 0.5 * mean].flatMap { [sin($0), cos($0)] }, alongAxis: 1)
    })
}

/// A linear-quadratic process, whose action value is quadratic.
struct LinearQuadraticProcess {
  static let policy = SineProcess.policy
  private static let curvature = -(0.5 + 0.25 * 0.25) / (1 - 0.9 * 0.25)
  static let coefficients = Tensor([
    0.9 * curvature * 0.25 / 0.1, -0.5 + 0.9 * curvature * 0.49, 1.8 * curvature * 0.28,
    -0.25 + 0.9 * curvature * 0.16,
  ])
  /// For s ~ N(0, 1).
  static let value = matmul(coefficients, Tensor([1, 1, -0.5, 0.25])).scalar

  let transitions: Transitions
  let initial: Tensor

  init(count: Int, initialCount: Int, _ generator: PhiloxGenerator) throws {
    var draws = generator
    func normal(_ rows: Int) -> Tensor { .normal([rows, 1], using: &draws) }
    let s = normal(count)
    let a = -0.3 * s + 0.6 * normal(count)
    let rewards = 0.3 * normal(count) - 0.5 * square(s) - 0.25 * square(a)
    transitions = try Transitions(
      states: s, actions: a, rewards: rewards[0..., 0],
      nextStates: 0.7 * s + 0.4 * a + 0.5 * normal(count))
    initial = normal(initialCount)
  }

  static let stateActionFeatures = StateActionFeatures(name: "quadratic") { s, a in
    .concatenated([.ones(like: s), square(s), s * a, square(a)], alongAxis: 1)
  }
}

/// Trajectories of a process with three states, two actions and an end.
struct SmallProcess {
  let transitions: Transitions
  let states: [Int]
  let actions: [Int]
  let next: [Int]
  let rewards: [Double]
  let isTerminal: [Bool]

  /// - Parameter copies: How often everything is repeated.
  init(trajectories: Int, copies: Int = 1, seed: UInt64) throws {
    var draws = PhiloxGenerator(seed: seed)
    var rows: [(s: Int, a: Int, r: Double, next: Int, ends: Bool, trajectory: Int)] = []
    for trajectory in 0..<trajectories {
      var state = Int.random(in: 0..<3, using: &draws)
      for _ in 0..<8 {
        let action = Int.random(in: 0..<2, using: &draws)
        let next = (state + Int.random(in: 0...1 + action, using: &draws)) % 3
        let ends = Double.random(in: 0..<1, using: &draws) < 0.15
        let reward = Double(state) - 0.5 * Double(action) + Double.random(in: -1..<1, using: &draws)
        rows.append((state, action, reward, next, ends, trajectory))
        if ends { break }
        state = next
      }
    }
    rows = (0..<copies).flatMap { _ in rows }
    states = rows.map(\.s)
    actions = rows.map(\.a)
    next = rows.map(\.next)
    rewards = rows.map(\.r)
    isTerminal = rows.map(\.ends)
    transitions = try Transitions(
      states: Tensor(rows.map { [Double($0.s)] }.flatMap { $0 }).expandingShape(at: 1),
      actions: try Transitions.oneHot(rows.map { Double($0.a) }, count: 2),
      rewards: Tensor(rows.map(\.r)),
      // What a log would have at the end of an episode.
      nextStates: Tensor(rows.map { $0.ends ? .nan : Double($0.next) }).expandingShape(at: 1),
      isTerminal: rows.map(\.ends), trajectories: rows.map(\.trajectory))
  }

  /// Action 1 with probability 0.2, 0.5, 0.8 in the three states.
  static let policy = EvaluationPolicy.stochastic(actionCount: 2) { states in
    let second = 0.2 + 0.3 * states
    return .concatenated([1 - second, second], alongAxis: 1)
  }

  /// The solution of Q = R̂ + γ P̂ Q with means over the rows of each pair, in the order of the
  /// pair (action, state), by iteration.
  func empiricalActionValues(discount: Double) -> [Double] {
    let second = [0.2, 0.5, 0.8]
    var values = [Double](repeating: 0, count: 6)
    for _ in 0..<2000 {
      var (sums, counts) = ([Double](repeating: 0, count: 6), [Double](repeating: 0, count: 6))
      for row in states.indices {
        let pair = 3 * actions[row] + states[row]
        let after = next[row]
        let future =
          isTerminal[row]
          ? 0 : (1 - second[after]) * values[after] + second[after] * values[3 + after]
        sums[pair] += rewards[row] + discount * future
        counts[pair] += 1
      }
      values = zip(sums, counts).map { $0 / $1 }
    }
    return values
  }
}
