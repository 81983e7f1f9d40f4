import Autodiff
import Neural

/// Where training continues: explicit state of an outer loop over functional problems.
///
/// Networks, optimisers and the generator of batches live on from one outer iteration to the next,
/// which is what makes a few steps per iteration enough. Without a state every solve starts anew.
/// Layers are shared by tasks; a state belongs to one.
public final class FunctionalState {
  /// One network in training.
  package struct Learner {
    package var network: HeadedNetwork
    var optimizer: any Optimizer
    var stepCount = 0
    /// ‖∂L/∂θ‖ at the first step.
    var firstSlope: Double?
    private let initialOptimizer: any Optimizer

    init(network: HeadedNetwork, optimizer: any Optimizer) {
      (self.network, self.optimizer, initialOptimizer) = (network, optimizer, optimizer)
    }

    /// What a state kept, or this new learner where it kept none.
    ///
    /// - Precondition: What was kept is of the same architecture: a state belongs to one layer.
    func continuing(_ kept: Learner?, _ role: String) -> Learner {
      guard let kept else { return self }
      let (own, other) = (network.tensors, kept.network.tensors)
      guard network.tensorPaths == kept.network.tensorPaths,
        zip(own, other).allSatisfy({ $0.shape == $1.shape && $0.scalarType == $1.scalarType })
      else {
        stop(
          "FunctionalState",
          """
          the state holds \(role) of another architecture (\(other.count) tensors, \
          \(kept.network.elementCount) parameters; this layer's has \(own.count) and \
          \(network.elementCount)). A state belongs to one layer: make one for each, or reset() it
          """)
      }
      return kept
    }

    /// The same function before a first step.
    var restarted: Learner { Learner(network: network, optimizer: initialOptimizer) }
  }

  package var prediction: Learner?
  var adjoint: Learner?
  /// Weights of a linear class.
  var weights: Tensor?
  package var generator: PhiloxGenerator

  /// A state before the first solve.
  ///
  /// - Parameter seed: Of the batches.
  public init(seed: UInt64 = 0) { generator = PhiloxGenerator(seed: seed) }

  /// Forgets optimiser states, but not networks: the next solve starts from the same functions.
  public func restartOptimizers() {
    (prediction, adjoint) = (prediction?.restarted, adjoint?.restarted)
  }

  /// Forgets everything but the generator.
  public func reset() { (prediction, adjoint, weights) = (nil, nil, nil) }
}
