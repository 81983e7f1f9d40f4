import ArgumentParser
import Autodiff
import ControlProblems
import ExampleSupport
import Orthogonal

/// The simulated processes of the program.
enum BuiltInProcess: String, CaseIterable, ExpressibleByArgument, Codable {
  case cartpole
  case sine

  /// The cart, whose pushes are noisy so that transitions are.
  static let cartPole = CartPole(forceNoise: 5)

  /// The number of trajectories and the most transitions of each, unless it is said: those of one transition
  /// are independent draws.
  var defaults: (trajectories: Int, limit: Int) { self == .cartpole ? (300, 100) : (1000, 1) }

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
}

/// How much is simulated.
struct SimulationOptions: ParsableArguments {
  @Option(help: "The number of simulated trajectories. (default: 300 for cartpole, 1000 for sine)")
  var trajectories: Int?

  @Option(
    help: "The most transitions of a simulated trajectory. (default: 100 for cartpole, 1 for sine)")
  var limit: Int?

  func validate() throws {
    try requireAtLeast(1, ("--trajectories", trajectories), ("--limit", limit))
  }

  /// Refuses a simulation that does not fit: logged transitions, their features and nuisances.
  ///
  /// Trajectories end before the limit where they fail; that of the cart does so after 20 steps or more.
  ///
  /// - Parameters:
  ///   - count: The number of simulations at a time.
  ///   - stepByteCount: What a step takes: 23 kB where it is evaluated.
  func requireMemory(
    for process: BuiltInProcess, count: Int = 1, stepByteCount: Double = 23_000
  ) throws(NotEnoughMemory) {
    let trajectories = trajectories ?? process.defaults.trajectories
    let steps = min(limit ?? process.defaults.limit, 20)
    try NotEnoughMemory.refuse(
      stepByteCount * Double(trajectories) * Double(steps) * Double(count),
      for: "\(count == 1 ? "a simulation" : "\(count) simulations at a time") of "
        + "\(Numbers.count(trajectories)) trajectories")
  }

  /// Transitions of the policy that logs.
  func log(_ process: BuiltInProcess, generator: PhiloxGenerator) -> TransitionLog {
    let trajectories = trajectories ?? process.defaults.trajectories
    let limit = limit ?? process.defaults.limit
    return switch process {
    case .cartpole:
      BuiltInProcess.cartPole.log(
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

  /// How it pushes the cart; nil for that of the sine process.
  private var push: PushPolicy? {
    switch self {
    case .leaning: .leaning
    case .balancing: .balancing
    case .proportional: nil
    }
  }

  var evaluation: EvaluationPolicy {
    push?.evaluation(onColumns: process.evaluationColumns) ?? SineProcess.evaluation
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
    if let push {
      return BuiltInProcess.cartPole.value(
        of: push, discount: discount, rollouts: rollouts, generator: generator)
    }
    // The rewards are made for one discount only.
    if discount == SineProcess.discount { return .exact(SineProcess.value) }
    return SineProcess().value(
      of: ProportionalPolicy(gain: SineProcess.evaluationGain), discount: discount,
      rollouts: rollouts, generator: generator)
  }
}
