import Autodiff
import Inference
import Solvers

/// Logged transitions (S, A, R, S′) of a Markov decision process, from whatever policy acted.
public struct Transitions: Sendable {
  /// S, [n, p].
  public let states: Tensor
  /// A, [n, a]; see `oneHot(_:count:)` for actions that are numbered.
  public let actions: Tensor
  /// R, [n].
  public let rewards: Tensor
  /// S′, [n, p]; at terminal transitions, where it is not used, the state itself.
  public let nextStates: Tensor
  /// 1 − terminal, [n]: 0 where the process ends and nothing more is earned.
  public let continues: Tensor
  /// The trajectory of every transition; nil where transitions count as independent.
  ///
  /// Trajectories are independent of each other and anything may depend within one.
  public let trajectories: [Int]?

  /// Logged transitions.
  ///
  /// A trajectory that is cut off, by a limit of time for example, does not end in a terminal
  /// transition: its last state would have gone on.
  ///
  /// - Parameters:
  ///   - states: S, [n, p].
  ///   - actions: A, [n, a].
  ///   - rewards: R, [n].
  ///   - nextStates: S′, [n, p]; rows of terminal transitions are ignored and may be NaN.
  ///   - isTerminal: Where the process ends; nil for nowhere.
  ///   - trajectories: A number for each row; rows of one trajectory in the order of time.
  /// - Throws: `PolicyEvaluationError` for other shapes and where all transitions are terminal,
  ///   `OrthogonalError` for numbers that are not finite.
  public init(
    states: Tensor, actions: Tensor, rewards: Tensor, nextStates: Tensor,
    isTerminal: [Bool]? = nil, trajectories: [Int]? = nil
  ) throws(SolverError) {
    guard states.rank == 2 else {
      throw .shape("states", states, "[transitions, state columns]")
    }
    let (count, width) = (states.shape[0], states.shape[1])
    guard count > 0 else { throw .function(PolicyEvaluationError.noTransitions) }
    guard actions.rank == 2, actions.shape[0] == count else {
      throw .shape("actions", actions, "[\(count), action columns]")
    }
    guard rewards.shape == [count] else { throw .shape("rewards", rewards, "[\(count)]") }
    guard nextStates.shape == states.shape else {
      throw .shape("next states", nextStates, "[\(count), \(width)]")
    }
    for (what, found) in [
      ("terminal marks", isTerminal?.count), ("trajectory numbers", trajectories?.count),
    ] where found.map({ $0 != count }) ?? false {
      throw .function(
        PolicyEvaluationError.shape(what: what, found: [found ?? 0], expected: "[\(count)]"))
    }
    let terminal = isTerminal ?? Array(repeating: false, count: count)
    guard terminal.contains(false) else {
      throw .function(PolicyEvaluationError.allTerminal(count: count))
    }
    self.states = states.cast(to: .float64)
    self.actions = actions.cast(to: .float64)
    self.rewards = rewards.cast(to: .float64)
    let mask = Tensor(mask: terminal)
    self.nextStates = select(
      mask.expandingShape(at: 1).broadcast(to: states.shape), self.states,
      nextStates.cast(to: .float64))
    continues = 1 - mask.cast(to: .float64)
    self.trajectories = trajectories
    try self.states.requireFiniteRows("states")
    try self.actions.requireFiniteRows("actions")
    try self.rewards.requireFiniteRows("rewards")
    try self.nextStates.requireFiniteRows("next states")
  }

  /// n.
  public var count: Int { states.shape[0] }

  /// The number of trajectories; nil where there are no numbers.
  public var trajectoryCount: Int? { trajectories.map { Set($0).count } }

  /// The same units are known by the same numbers, whatever is made of them.
  public var sample: SampleIdentity {
    SampleIdentity(fingerprint: [states, actions, rewards, nextStates, continues])
  }

  /// X = (S, A), [n, p + a].
  var inputs: Tensor { .concatenated([states, actions], alongAxis: 1) }

  /// The first row of each trajectory, in order of appearance.
  func firstRows() throws(SolverError) -> [Int] {
    guard let trajectories else { throw .function(PolicyEvaluationError.noTrajectories) }
    var seen: Set<Int> = []
    return trajectories.indices.filter { seen.insert(trajectories[$0]).inserted }
  }

  /// Numbered actions as columns of zeros and ones, [n, count].
  ///
  /// - Parameters:
  ///   - actions: Whole numbers from 0.
  ///   - count: The number of actions.
  /// - Throws: `PolicyEvaluationError.action` for another number.
  public static func oneHot(_ actions: [Double], count: Int) throws(SolverError) -> Tensor {
    for (row, action) in actions.enumerated() {
      guard action >= 0, action < Double(count), action == action.rounded() else {
        throw .function(PolicyEvaluationError.action(row: row, found: action, count: count))
      }
    }
    return (Tensor(actions).expandingShape(at: 1) .== Tensor.range(count).expandingShape(at: 0))
      .cast(to: .float64)
  }
}

extension SolverError {
  /// An error about the shape of data.
  static func shape(_ what: String, _ tensor: Tensor, _ expected: String) -> SolverError {
    .function(
      PolicyEvaluationError.shape(what: what, found: Array(tensor.shape), expected: expected))
  }
}
