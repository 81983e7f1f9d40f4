import Autodiff
import Foundation
import Orthogonal
import Solvers

/// A Markov decision process that can be simulated.
public protocol Environment: Sendable {
  /// What an agent does.
  associatedtype Action: Sendable

  /// A name for each number of a state.
  var stateNames: [String] { get }

  /// Draws where an episode starts.
  func initialState(using generator: inout PhiloxGenerator) -> [Double]

  /// Draws what follows a state and an action.
  func step(
    from state: [Double], _ action: Action, using generator: inout PhiloxGenerator
  ) -> Step

  /// The number that stands for an action in a table: the action itself, or that of its kind.
  func number(of action: Action) -> Double
}

/// What follows a state and an action.
public struct Step: Sendable, Equatable {
  /// The next state.
  public let state: [Double]
  /// What was earned.
  public let reward: Double
  /// Whether the process ends, so that nothing more is earned.
  public let isTerminal: Bool

  /// What follows.
  public init(state: [Double], reward: Double, isTerminal: Bool) {
    (self.state, self.reward, self.isTerminal) = (state, reward, isTerminal)
  }
}

/// A rule by which an agent acts on what it sees now.
public protocol Policy<Action>: Sendable {
  /// What the agent does.
  associatedtype Action: Sendable

  /// Draws an action.
  func action(at state: [Double], using generator: inout PhiloxGenerator) -> Action
}

/// A standard normal number.
///
/// Box and Muller, A note on the generation of random normal deviates (1958).
func normal(using generator: inout PhiloxGenerator) -> Double {
  // The logarithm needs a number above 0.
  let radius = 1 - Double.random(in: 0..<1, using: &generator)
  let angle = Double.random(in: 0..<1, using: &generator)
  return (-2 * log(radius)).squareRoot() * cos(2 * .pi * angle)
}

/// Transitions as they are logged, one after the other.
public struct TransitionLog: Sendable {
  /// One transition.
  public struct Row: Sendable, Equatable {
    /// The number of its trajectory.
    public let trajectory: Int
    /// S.
    public let state: [Double]
    /// A, as a number.
    public let action: Double
    /// R, S′ and whether the process ended.
    public let step: Step
  }

  /// In the order of trajectories and time.
  public private(set) var rows: [Row] = []

  /// The transitions as data of an evaluation.
  ///
  /// - Parameters:
  ///   - actionCount: The number of kinds of action, which become columns of zeros and ones;
  ///     nil where the action is a quantity.
  ///   - stateColumns: The coordinates of the state that are taken; nil for all.
  public func transitions(
    actionCount: Int? = nil, stateColumns: [Int]? = nil
  ) throws(SolverError) -> Transitions {
    func taken(_ state: [Double]) -> [Double] { stateColumns?.map { state[$0] } ?? state }
    let numbers = rows.map(\.action)
    let actions: Tensor
    if let actionCount {
      actions = try Transitions.oneHot(numbers, count: actionCount)
    } else {
      actions = Tensor(numbers).expandingShape(at: 1)
    }
    return try Transitions(
      states: Tensor(rows: rows.map { taken($0.state) }), actions: actions,
      rewards: Tensor(rows.map(\.step.reward)),
      nextStates: Tensor(rows: rows.map { taken($0.step.state) }),
      isTerminal: rows.map(\.step.isTerminal), trajectories: rows.map(\.trajectory))
  }

  fileprivate mutating func append(_ row: Row) { rows.append(row) }
}

/// A number from simulation with its Monte Carlo error.
public struct SimulatedValue: Sendable, Codable, Equatable {
  /// The mean over rollouts.
  public let value: Double
  /// Its standard error.
  public let standardError: Double
  /// The number of rollouts.
  public let rollouts: Int
}

extension Environment {
  /// Lets a policy act and logs what happens.
  ///
  /// - Parameters:
  ///   - trajectories: Their number; each has random numbers of its own.
  ///   - limit: The most transitions of a trajectory, which is then cut off and not terminal.
  public func log(
    _ policy: some Policy<Action>, trajectories: Int, limit: Int, generator: PhiloxGenerator
  ) -> TransitionLog {
    var log = TransitionLog()
    for trajectory in 0..<trajectories {
      var draws = generator.split(key: UInt64(trajectory))
      var state = initialState(using: &draws)
      for _ in 0..<limit {
        let action = policy.action(at: state, using: &draws)
        let step = step(from: state, action, using: &draws)
        log.append(
          .init(
            trajectory: trajectory, state: state, action: number(of: action), step: step))
        if step.isTerminal { break }
        state = step.state
      }
    }
    return log
  }

  /// The discounted value of a policy, by rollouts.
  ///
  /// A rollout ends where what would follow weighs less than 10⁻⁸ of one reward.
  public func value(
    of policy: some Policy<Action>, discount: Double, rollouts: Int, generator: PhiloxGenerator
  ) -> SimulatedValue {
    var (sum, squares) = (0.0, 0.0)
    for rollout in 0..<rollouts {
      var draws = generator.split(key: UInt64(rollout))
      var state = initialState(using: &draws)
      var (weight, total) = (1.0, 0.0)
      while weight > 1e-8 * (1 - discount) {
        let step = step(from: state, policy.action(at: state, using: &draws), using: &draws)
        total += weight * step.reward
        if step.isTerminal { break }
        weight *= discount
        state = step.state
      }
      sum += total
      squares += total * total
    }
    let count = Double(rollouts)
    let variance = max(0, squares / count - sum / count * (sum / count)) * count / (count - 1)
    return SimulatedValue(
      value: sum / count, standardError: (variance / count).squareRoot(), rollouts: rollouts)
  }
}

extension SimulatedValue {
  /// A value that is known in closed form.
  public static func exact(_ value: Double) -> SimulatedValue {
    SimulatedValue(value: value, standardError: 0, rollouts: 0)
  }
}
