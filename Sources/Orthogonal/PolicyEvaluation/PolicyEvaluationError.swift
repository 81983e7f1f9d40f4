import Autodiff
import Solvers

/// Why a policy was not evaluated; carried by `SolverError.function`.
public enum PolicyEvaluationError: Error, Equatable {
  /// A discount outside [0, 1).
  case discount(Double)
  /// A ridge that is negative or not finite.
  case ridge(Double)
  /// There is no transition.
  case noTransitions
  /// A tensor has another shape than the transitions ask for.
  case shape(what: String, found: [Int], expected: String)
  /// No transition has a next state to bootstrap from.
  case allTerminal(count: Int)
  /// First states were asked for of transitions without trajectories.
  case noTrajectories
  /// There is no initial state.
  case noInitialStates
  /// Probabilities of actions are negative or do not sum to one.
  case probabilities(row: Int, sum: Double)
  /// An action that is not one of the numbered ones.
  case action(row: Int, found: Double, count: Int)
}

extension PolicyEvaluationError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .discount(let value):
      """
      the discount must be at least 0 and less than 1, found \(number(value)); with a discount of 1 \
      the value of an endless process is not finite. Use 0.99, for example
      """
    case .ridge(let value):
      "the ridge must be a number of 0 or more, found \(number(value))"
    case .noTransitions:
      "there are no transitions, so there is nothing to learn from; check that the data was read"
    case .shape(let what, let found, let expected):
      "the \(what) have shape \(found), expected \(expected); give one row for each transition"
    case .allTerminal(let count):
      """
      all \(count) transitions are terminal, so no next state is ever valued; check that the right \
      column was read as terminal, and that it is 1 only where the process ends
      """
    case .noTrajectories:
      """
      the first states of trajectories were asked for, but the transitions have no trajectory \
      numbers; give them, or a sample of initial states
      """
    case .noInitialStates:
      "there is no initial state, so there is no value to estimate; give at least one"
    case .probabilities(let row, let sum):
      """
      the policy's probabilities at row \(row) (counted from 0) are negative or sum to \
      \(number(sum)); they must be at least 0 and sum to 1
      """
    case .action(let row, let found, let count):
      """
      the action of row \(row) (counted from 0) is \(number(found)), expected a whole number from 0 \
      to \(count - 1); number the actions so, or treat them as continuous
      """
    }
  }
}
