import Autodiff
import Neural

/// Where training continues: explicit state of an outer loop over functional problems.
///
/// Networks, optimisers and the generator of batches live on from one outer iteration to the next,
/// which is what makes a few steps per iteration enough. Without a state every solve starts anew.
public final class FunctionalState {
  /// One network in training.
  struct Learner {
    var network: HeadedNetwork
    var optimizer: any Optimizer
    var stepCount = 0
    /// ‖∂L/∂θ‖ at the first step.
    var firstSlope: Double?
  }

  var prediction: Learner?
  var adjoint: Learner?
  /// Weights of a linear class.
  var weights: Tensor?
  var generator: PhiloxGenerator

  /// A state before the first solve.
  ///
  /// - Parameter seed: Of the batches.
  public init(seed: UInt64 = 0) { generator = PhiloxGenerator(seed: seed) }

  /// Forgets optimiser states, but not networks: the next solve starts from the same functions.
  public func restartOptimizers() {
    prediction = prediction.map { Learner(network: $0.network, optimizer: $0.optimizer) }
    adjoint = adjoint.map { Learner(network: $0.network, optimizer: $0.optimizer) }
  }

  /// Forgets everything but the generator.
  public func reset() { (prediction, adjoint, weights) = (nil, nil, nil) }
}
