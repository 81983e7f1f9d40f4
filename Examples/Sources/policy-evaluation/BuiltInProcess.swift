import ArgumentParser
import Autodiff
import ControlProblems
import ExampleSupport
import Foundation
import Orthogonal

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
    case .cartpole: 300
    case .sine: 1000
    }
  }

  /// The number of kinds of action; nil where it is a quantity.
  var actionCount: Int? { self == .cartpole ? CartPole.Push.allCases.count : nil }

  var stateNames: [String] {
    self == .cartpole ? Self.cartPole.stateNames : SineProcess().stateNames
  }

  /// The coordinates of the state that evaluation uses.
  ///
  /// Angle and angular velocity of the pole move by themselves; of the cart only the rare end at the
  /// limit of its position depends, and counts as chance.
  var evaluationColumns: [Int] { self == .cartpole ? [2, 3] : [0] }

  /// Refuses a simulation that does not fit: logged transitions, their features and nuisances.
  ///
  /// Trajectories end before the limit where they fail; that of the cart does so after 20 steps or more.
  ///
  /// - Parameters:
  ///   - count: The number of simulations at a time.
  ///   - stepByteCount: What a step takes: 23 kB where it is evaluated.
  func requireMemory(
    trajectories: Int?, limit: Int?, count: Int = 1, stepByteCount: Double = 23_000
  ) throws(NotEnoughMemory) {
    let trajectories = trajectories ?? defaultTrajectories
    let steps = min(limit ?? defaultLimit, 20)
    try NotEnoughMemory.refuse(
      stepByteCount * Double(trajectories) * Double(steps) * Double(count),
      for: "\(count == 1 ? "a simulation" : "\(count) simulations at a time") of "
        + "\(Numbers.count(trajectories)) trajectories")
  }

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
    case .leaning: PushPolicy.leaning.evaluation(onColumns: process.evaluationColumns)
    case .balancing: PushPolicy.balancing.evaluation(onColumns: process.evaluationColumns)
    case .proportional: SineProcess.evaluation
    }
  }

  /// What it is, for a reader.
  var title: String {
    switch self {
    case .leaning: "leaning (pushes more often to where the pole leans, and fails)"
    case .balancing: "balancing (pushes against the lean and motion of the pole)"
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
