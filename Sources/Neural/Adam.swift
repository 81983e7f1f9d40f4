import Autodiff

/// Adam with weight decay coupled to the gradient.
///
/// With gradient g, parameters w, learning rate η and weight decay λ, as PyTorch:
///
///     g ← g + λ w
///     m ← β₁ m + (1 − β₁) g,  v ← β₂ v + (1 − β₂) g²
///     w ← w − η m̂ / (√v̂ + ε)     m̂ = m / (1 − β₁ᵗ),  v̂ = v / (1 − β₂ᵗ)
///
/// Kingma and Ba, Adam: A method for stochastic optimization (2015). The penalty passes through
/// the averages like the rest of the gradient; for decay that does not, see `AdamW`.
public struct Adam: Optimizer {
  public var learningRate: Double
  /// The decay of the gradient's average.
  public var beta1: Double
  /// The decay of the squared gradient's average.
  public var beta2: Double
  /// ε, added outside the root.
  public var epsilon: Double
  /// λ, the coefficient of the penalty λ‖w‖²/2 whose gradient is added.
  public var weightDecay: Double
  /// The averages and the step count.
  public var moments = AdamMoments()

  /// Creates an optimiser without state.
  public init(
    learningRate: Double = 1e-3, beta1: Double = 0.9, beta2: Double = 0.999,
    epsilon: Double = 1e-8, weightDecay: Double = 0
  ) {
    self.learningRate = learningRate
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.weightDecay = weightDecay
  }

  public mutating func update<Model: TensorTree>(_ model: inout Model, along gradient: Model) {
    var parameters = Parameters("Adam", model, gradient, state: moments.first)
    moments.beginStep(parameters)
    let decay = AdamDecay(beta1: beta1, beta2: beta2, epsilon: epsilon)
    for index in parameters.indices {
      let w = parameters.tensors[index]
      var g = parameters.gradients[index]
      if weightDecay != 0 { g += weightDecay * w }
      parameters.tensors[index] = w - learningRate * moments.add(g, at: index, decay)
    }
    model.tensors = parameters.tensors
  }
}
