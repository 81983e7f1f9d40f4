import Autodiff
import Foundation

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
    self.state = state
    self.reward = reward
    self.isTerminal = isTerminal
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
