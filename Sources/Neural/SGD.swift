import Autodiff
import TensorFiles

/// Gradient descent with momentum.
///
/// With gradient g, parameters w, learning rate η, momentum μ and weight decay λ, as PyTorch:
///
///     g ← g + λ w
///     b ← μ b + g                (b ← g in the first step)
///     w ← w − η b                (Nesterov: w ← w − η (g + μ b))
public struct SGD: Optimizer {
  /// η.
  public var learningRate: Double
  /// μ; 0 is plain gradient descent.
  public var momentum: Double
  /// Whether the step looks ahead along the momentum.
  public var isNesterov: Bool
  /// λ, the coefficient of the penalty λ‖w‖²/2 whose gradient is added.
  public var weightDecay: Double
  /// b, a tensor per leaf of the model; empty before the first step and without momentum.
  public var velocities: [Tensor] = []

  /// Creates an optimiser without state.
  public init(
    learningRate: Double, momentum: Double = 0, isNesterov: Bool = false, weightDecay: Double = 0
  ) {
    if isNesterov && momentum == 0 { stop("SGD", "a Nesterov step needs a momentum above 0") }
    self.learningRate = learningRate
    self.momentum = momentum
    self.isNesterov = isNesterov
    self.weightDecay = weightDecay
  }

  /// Takes one step, as stated above.
  public mutating func update<Model: TensorTree>(_ model: inout Model, along gradient: Model) {
    var parameters = Parameters("SGD", model, gradient, state: velocities)
    if momentum != 0 && velocities.isEmpty { velocities = parameters.zeros }
    for index in parameters.indices {
      let w = parameters.tensors[index]
      var direction = parameters.gradients[index]
      if weightDecay != 0 { direction += weightDecay * w }
      if momentum != 0 {
        velocities[index] = momentum * velocities[index] + direction
        direction = isNesterov ? direction + momentum * velocities[index] : velocities[index]
      }
      parameters.tensors[index] = w - learningRate * direction
    }
    model.tensors = parameters.tensors
  }
}

extension SGD: Checkpointable {
  /// Visits settings and velocities.
  public mutating func visitCheckpoint(_ visitor: inout CheckpointVisitor) {
    visitor.visit(&learningRate, "learningRate")
    visitor.visit(&momentum, "momentum")
    visitor.visit(&isNesterov, "isNesterov")
    visitor.visit(&weightDecay, "weightDecay")
    visitor.visit(growing: &velocities, "velocities")
  }
}
