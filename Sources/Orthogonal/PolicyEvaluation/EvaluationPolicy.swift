import Autodiff
import Solvers

/// The policy π that is evaluated, as far as evaluation needs it: its actions at next states and at
/// initial ones.
public enum EvaluationPolicy: Sendable {
  /// One action at each state: from [n, p] to [n, a].
  case deterministic(@Sendable (_ states: Tensor) throws -> Tensor)
  /// Finitely many actions, the rows of [k, a], and their probabilities: from [n, p] to [n, k].
  ///
  /// Features are averaged over actions exactly.
  case stochastic(actions: Tensor, probabilities: @Sendable (_ states: Tensor) throws -> Tensor)
  /// Actions that were recorded or drawn beforehand, at next states, [n, a], and at initial states,
  /// [m, a].
  case recorded(nextActions: Tensor, initialActions: Tensor)

  /// Actions numbered 0, …, count − 1, in columns of zeros and ones.
  public static func stochastic(
    actionCount: Int, probabilities: @escaping @Sendable (_ states: Tensor) throws -> Tensor
  ) -> EvaluationPolicy {
    .stochastic(actions: .identity(actionCount), probabilities: probabilities)
  }

  /// Which states an action is asked for at.
  enum Occasion {
    case next
    case initial
  }

  /// E[ψ(s, a) : a ~ π(s)], [n, d].
  func expectedFeatures(
    _ features: StateActionFeatures, at states: Tensor, _ occasion: Occasion
  ) throws(SolverError) -> Tensor {
    let count = states.shape[0]
    switch self {
    case .deterministic(let policy):
      return try features(states, try Self.checked(try calling { try policy(states) }, count))
    case .recorded(let next, let initial):
      let recorded = occasion == .next ? next : initial
      return try features(states, try Self.checked(recorded.cast(to: .float64), count))
    case .stochastic(let actions, let probabilities):
      let weights = try calling { try probabilities(states) }
      let actionCount = actions.shape[0]
      guard weights.shape == [count, actionCount] else {
        throw .shape("probabilities of actions", weights, "[\(count), \(actionCount)]")
      }
      try Self.requireProbabilities(weights)
      var sum = Tensor(0)
      for action in 0..<actionCount {
        let same = actions[action].expandingShape(at: 0)
          .broadcast(to: [count, actions.shape[1]])
        let values = try features(states, same)
        sum = sum + weights.slice(action..<action + 1, alongAxis: 1) * values
      }
      return sum
    }
  }

  private static func checked(_ actions: Tensor, _ count: Int) throws(SolverError) -> Tensor {
    guard actions.rank == 2, actions.shape[0] == count else {
      throw .shape("actions of the policy", actions, "[\(count), action columns]")
    }
    return actions
  }

  private static func requireProbabilities(_ weights: Tensor) throws(SolverError) {
    let (elements, width) = (weights.scalars, weights.shape[1])
    for row in 0..<weights.shape[0] {
      let values = elements[row * width..<(row + 1) * width]
      let sum = values.reduce(0, +)
      guard values.allSatisfy({ $0 >= 0 }), abs(sum - 1) <= 1e-8 else {
        throw .function(PolicyEvaluationError.probabilities(row: row, sum: sum))
      }
    }
  }
}

/// Where the process starts, which makes a policy's value one number.
public enum InitialStates: Sendable {
  /// Independent draws, [m, p], from another source than the transitions: their sampling error is
  /// part of the value's.
  case sample(Tensor)
  /// All there are, [m, p], with equal weights: a known distribution, without sampling error.
  case known(Tensor)
  /// The first states of the logged trajectories: dependent on their transitions, with the right
  /// covariance.
  case firstOfTrajectories
}
