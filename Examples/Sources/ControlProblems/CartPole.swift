import Autodiff
import Foundation
import Orthogonal

/// A pole on a cart that is pushed left or right, with the constants of the usual benchmark.
///
/// Barto, Sutton and Anderson, Neuronlike adaptive elements that can solve difficult learning control
/// problems (1983), without friction, by Euler steps of 0.02 s. A state is the position of the cart
/// in m, its velocity, the angle of the pole in rad and its angular velocity. An episode ends where
/// the cart leaves ±2.4 m or the pole ±12°; every step earns 1, the last one too.
public struct CartPole: Environment {
  /// A push of the cart.
  public enum Push: Int, Sendable, CaseIterable {
    /// To smaller positions.
    case left
    /// To larger positions.
    case right
  }

  /// In m/s².
  public static let gravity = 9.8
  /// In kg.
  public static let cartMass = 1.0
  /// In kg.
  public static let poleMass = 0.1
  /// Half the length of the pole, in m.
  public static let poleHalfLength = 0.5
  /// In N.
  public static let force = 10.0
  /// In s.
  public static let timeStep = 0.02
  /// In m.
  public static let positionLimit = 2.4
  /// In rad.
  public static let angleLimit = 12 * Double.pi / 180

  /// The standard deviation of noise in the force, in N; with 0 transitions are deterministic.
  public let forceNoise: Double
  /// States start uniformly between ± this number in all four coordinates.
  public let startRange: Double

  /// A cart with a pole.
  public init(forceNoise: Double = 0, startRange: Double = 0.05) {
    (self.forceNoise, self.startRange) = (forceNoise, startRange)
  }

  public var stateNames: [String] { ["position", "velocity", "angle", "angular_velocity"] }

  public func initialState(using generator: inout PhiloxGenerator) -> [Double] {
    (0..<4).map { _ in Double.random(in: -startRange...startRange, using: &generator) }
  }

  public func step(
    from state: [Double], _ action: Push, using generator: inout PhiloxGenerator
  ) -> Step {
    let noise = forceNoise == 0 ? 0 : forceNoise * normal(using: &generator)
    let next = Self.moved(state, force: (action == .right ? Self.force : -Self.force) + noise)
    let fails = abs(next[0]) > Self.positionLimit || abs(next[2]) > Self.angleLimit
    return Step(state: next, reward: 1, isTerminal: fails)
  }

  public func number(of action: Push) -> Double { Double(action.rawValue) }

  /// The state after one Euler step under a force in N.
  public static func moved(_ state: [Double], force: Double) -> [Double] {
    let (position, velocity, angle, angularVelocity) = (state[0], state[1], state[2], state[3])
    let (sine, cosine) = (sin(angle), cos(angle))
    let totalMass = cartMass + poleMass
    let poleMoment = poleMass * poleHalfLength
    let push = (force + poleMoment * angularVelocity * angularVelocity * sine) / totalMass
    let angularAcceleration =
      (gravity * sine - cosine * push)
      / (poleHalfLength * (4 / 3 - poleMass * cosine * cosine / totalMass))
    let acceleration = push - poleMoment * angularAcceleration * cosine / totalMass
    return [
      position + timeStep * velocity, velocity + timeStep * acceleration,
      angle + timeStep * angularVelocity, angularVelocity + timeStep * angularAcceleration,
    ]
  }
}

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
    (self.gains, self.randomness) = (gains, randomness)
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
      let drive = matmul(states, weights)
      let pushes = Tensor.concatenated([sigmoid(-drive), sigmoid(drive)], alongAxis: 1)
      return 0.5 * randomness + (1 - randomness) * pushes
    }
  }
}
