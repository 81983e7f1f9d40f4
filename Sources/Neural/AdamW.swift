import Autodiff

/// Adam with decoupled weight decay.
///
/// With gradient g, parameters w, learning rate η and weight decay λ, as PyTorch:
///
///     w ← (1 − η λ) w − η m̂ / (√v̂ + ε)
///
/// where m̂ and v̂ are the averages of `Adam` over g alone. Loshchilov and Hutter, Decoupled weight
/// decay regularization (2019).
public struct AdamW: Optimizer {
  public var learningRate: Double
  /// The decay of the gradient's average.
  public var beta1: Double
  /// The decay of the squared gradient's average.
  public var beta2: Double
  /// ε, added outside the root.
  public var epsilon: Double
  /// λ: each step shrinks the parameters by the factor 1 − η λ.
  public var weightDecay: Double
  /// The averages and the step count.
  public var moments = AdamMoments()

  /// Creates an optimiser without state.
  public init(
    learningRate: Double = 1e-3, beta1: Double = 0.9, beta2: Double = 0.999,
    epsilon: Double = 1e-8, weightDecay: Double = 1e-2
  ) {
    self.learningRate = learningRate
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.weightDecay = weightDecay
  }

  public mutating func update<Model: TensorTree>(_ model: inout Model, along gradient: Model) {
    var parameters = Parameters("AdamW", model, gradient, state: moments.first)
    moments.beginStep(parameters)
    let decay = AdamDecay(beta1: beta1, beta2: beta2, epsilon: epsilon)
    for index in parameters.indices {
      let w = (1 - learningRate * weightDecay) * parameters.tensors[index]
      let step = moments.add(parameters.gradients[index], at: index, decay)
      parameters.tensors[index] = w - learningRate * step
    }
    model.tensors = parameters.tensors
  }
}
