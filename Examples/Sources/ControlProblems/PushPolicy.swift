import Autodiff
import Bilevel
import Foundation

/// A push to the right with a probability that is logistic in the state, or a random push:
///
///     P(right | s) = ε/2 + (1 − ε) / (1 + exp(−kᵀs))
public struct PushPolicy: Policy {
  /// k, a gain for each coordinate of the state.
  public let gains: [Double]
  /// ε, the probability of a push that does not look at the state.
  public let randomness: Double

  /// A policy.
  public init(gains: [Double], randomness: Double = 0) {
    self.gains = gains
    self.randomness = randomness
  }

  /// Pushes against the lean of the pole, but not by its angular velocity, and so often fails.
  public static let leaning = PushPolicy(gains: [0, 0, 20, 2])

  /// Pushes against the lean of the pole and its motion.
  public static let balancing = PushPolicy(gains: [0.5, 1, 30, 6])

  /// What the data of the programs are logged with: partly balancing, partly random.
  public static let logging = PushPolicy(gains: [0, 0.5, 20, 4], randomness: 0.4)

  /// P(right | s).
  public func probabilityOfRight(at state: [Double]) -> Double {
    let drive = zip(gains, state).reduce(0) { $0 + $1.0 * $1.1 }
    return 0.5 * randomness + (1 - randomness) / (1 + exp(-drive))
  }

  public func action(
    at state: [Double], using generator: inout PhiloxGenerator
  ) -> CartPole.Push {
    let draw = Double.random(in: 0..<1, using: &generator)
    return draw < probabilityOfRight(at: state) ? .right : .left
  }

  /// The policy as one that can be evaluated, on columns (left, right) of zeros and ones.
  public var evaluation: EvaluationPolicy {
    .stochastic(actionCount: CartPole.Push.allCases.count) { states in
      let drive = matmul(states, Tensor(gains).expandingShape(at: 1))
      let right = 0.5 * randomness + (1 - randomness) * sigmoid(drive)
      return .concatenated([1 - right, right], alongAxis: 1)
    }
  }
}
