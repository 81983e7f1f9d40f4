import Autodiff
import TensorFiles

/// Adam, with weight decay through the gradient or, as AdamW, beside it.
///
/// With gradient g, parameters w, learning rate η and weight decay λ, as PyTorch:
///
///     g ← g + λ w                                 (coupled decay only)
///     m ← β₁ m + (1 − β₁) g,  v ← β₂ v + (1 − β₂) g²
///     w ← (1 − η λ) w                             (decoupled decay only)
///     w ← w − η m̂ / (√v̂ + ε)     m̂ = m / (1 − β₁ᵗ),  v̂ = v / (1 − β₂ᵗ)
///
/// Kingma and Ba, Adam: A method for stochastic optimization (2015); Loshchilov and Hutter, Decoupled
/// weight decay regularization (2019).
public struct Adam: Optimizer {
  /// η.
  public var learningRate: Double
  /// The decay of the gradient's average.
  public var beta1: Double
  /// The decay of the squared gradient's average.
  public var beta2: Double
  /// ε, added outside the root.
  public var epsilon: Double
  /// λ: coupled, the coefficient of a penalty λ‖w‖²/2 whose gradient passes through the averages like
  /// the rest; decoupled, each step shrinks the parameters by the factor 1 − η λ.
  public var weightDecay: Double
  /// Whether the decay is decoupled from the gradient, as in AdamW.
  public private(set) var isDecayDecoupled: Bool
  /// The averages and the step count.
  public var moments = AdamMoments()

  /// Creates an optimiser without state.
  public init(
    learningRate: Double = 1e-3, beta1: Double = 0.9, beta2: Double = 0.999,
    epsilon: Double = 1e-8, weightDecay: Double = 0, isDecayDecoupled: Bool = false
  ) {
    self.learningRate = learningRate
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.weightDecay = weightDecay
    self.isDecayDecoupled = isDecayDecoupled
  }

  /// Takes one step, as stated above.
  public mutating func update<Model: TensorTree>(_ model: inout Model, along gradient: Model) {
    var parameters = Parameters("Adam", model, gradient, state: moments.first)
    moments.beginStep(parameters)
    for index in parameters.indices {
      var (w, g) = (parameters.tensors[index], parameters.gradients[index])
      if isDecayDecoupled {
        w = (1 - learningRate * weightDecay) * w
      } else if weightDecay != 0 {
        g += weightDecay * w
      }
      parameters.tensors[index] = w - learningRate * moments.add(g, at: index, self)
    }
    model.tensors = parameters.tensors
  }
}

extension Adam: Checkpointable {
  /// Visits settings and averages; a file with the other kind of decay is refused.
  public mutating func visitCheckpoint(_ visitor: inout CheckpointVisitor) {
    visitor.visit(&learningRate, "learningRate")
    visitor.visit(&beta1, "beta1")
    visitor.visit(&beta2, "beta2")
    visitor.visit(&epsilon, "epsilon")
    visitor.visit(&weightDecay, "weightDecay")
    let expected = isDecayDecoupled
    visitor.visit(&isDecayDecoupled, "isDecayDecoupled")
    visitor.require(
      isDecayDecoupled == expected,
      "\(isDecayDecoupled ? "AdamW" : "Adam"), but \(expected ? "AdamW" : "Adam") was expected")
    visitor.visit(&moments, "moments")
  }
}
