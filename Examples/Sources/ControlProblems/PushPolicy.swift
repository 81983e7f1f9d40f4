import Autodiff
import Foundation
import Orthogonal

/// A push to the right with a probability that is logistic in the state, or a random push.
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

  /// Pushes more often to where the pole leans, whatever its motion, and fails in about 30 steps.
  public static let leaning = PushPolicy(gains: [0, 0, 5, 0])

  /// Pushes against the lean of the pole and its motion.
  public static let balancing = PushPolicy(gains: [0, 0, 10, 1])

  /// What the data of the programs are logged with: partly balancing, partly random.
  public static let logging = PushPolicy(gains: [0, 0, 5, 1], randomness: 0.5)

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
  ///
  /// - Parameter columns: The coordinates that stand in the columns of a table of states; the policy
  ///   must not look at others.
  public func evaluation(onColumns columns: [Int]) -> EvaluationPolicy {
    precondition(
      gains.indices.allSatisfy { columns.contains($0) || gains[$0] == 0 },
      "the policy looks at coordinates that are not in columns \(columns)")
    let weights = Tensor(columns.map { gains[$0] }).expandingShape(at: 1)
    return .stochastic(actionCount: CartPole.Push.allCases.count) { states in
      let right = 0.5 * randomness + (1 - randomness) * sigmoid(matmul(states, weights))
      return .concatenated([1 - right, right], alongAxis: 1)
    }
  }
}
