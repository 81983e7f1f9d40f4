import ArgumentParser
import Autodiff
import Bilevel
import ControlProblems
import Foundation

/// The simulated processes of the program.
enum BuiltInProcess: String, CaseIterable, ExpressibleByArgument, Codable {
  case cartpole
  case sine

  /// The cart, whose pushes are noisy so that transitions are.
  static let cartPole = CartPole(forceNoise: 5)

  /// The most transitions of a trajectory, unless it is said.
  var defaultLimit: Int {
    switch self {
    case .cartpole: 100
    // Trajectories of one transition are independent draws.
    case .sine: 1
    }
  }

  /// The number of trajectories, unless it is said.
  var defaultTrajectories: Int {
    switch self {
    case .cartpole: 100
    case .sine: 1000
    }
  }

  /// The discount, unless it is said; the rewards of `sine` are made for its own.
  var defaultDiscount: Double {
    switch self {
    case .cartpole: 0.95
    case .sine: SineProcess.discount
    }
  }

  /// The number of kinds of action; nil where it is a quantity.
  var actionCount: Int? { self == .cartpole ? CartPole.Push.allCases.count : nil }

  var stateNames: [String] {
    self == .cartpole ? Self.cartPole.stateNames : SineProcess().stateNames
  }

  /// The policies that can be evaluated, the first unless it is said.
  var policies: [BuiltInPolicy] { self == .cartpole ? [.leaning, .balancing] : [.proportional] }

  /// Transitions of the policy that logs.
  func log(trajectories: Int, limit: Int, generator: PhiloxGenerator) -> TransitionLog {
    switch self {
    case .cartpole:
      Self.cartPole.log(
        PushPolicy.logging, trajectories: trajectories, limit: limit, generator: generator)
    case .sine:
      SineProcess().log(
        ProportionalPolicy.logging, trajectories: trajectories, limit: limit,
        generator: generator)
    }
  }
}

/// The policies that need no columns of the data.
enum BuiltInPolicy: String, CaseIterable, ExpressibleByArgument, Codable {
  case leaning
  case balancing
  case proportional

  /// The process it acts in.
  var process: BuiltInProcess { self == .proportional ? .sine : .cartpole }

  var evaluation: EvaluationPolicy {
    switch self {
    case .leaning: PushPolicy.leaning.evaluation
    case .balancing: PushPolicy.balancing.evaluation
    case .proportional: SineProcess.evaluation
    }
  }

  /// What it is, for a reader.
  var title: String {
    switch self {
    case .leaning: "leaning (pushes to where the pole leans, with little regard to its motion)"
    case .balancing: "balancing (pushes against lean and motion of the pole)"
    case .proportional: "proportional (a = -0.5 s)"
    }
  }

  /// The value from where its process starts, by rollouts or, where there is one, in closed form.
  func truth(discount: Double, rollouts: Int, generator: PhiloxGenerator) -> SimulatedValue {
    func simulated(_ policy: PushPolicy) -> SimulatedValue {
      BuiltInProcess.cartPole.value(
        of: policy, discount: discount, rollouts: rollouts, generator: generator)
    }
    switch self {
    case .leaning: return simulated(.leaning)
    case .balancing: return simulated(.balancing)
    case .proportional:
      // The rewards are made for one discount only.
      if discount == SineProcess.discount { return .exact(SineProcess.value) }
      return SineProcess().value(
        of: ProportionalPolicy(gain: SineProcess.evaluationGain), discount: discount,
        rollouts: rollouts, generator: generator)
    }
  }
}
