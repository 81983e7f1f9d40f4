import Autodiff

/// An affine map whose weight is divided by its largest singular value: y = x W / σ + b, with
/// σ = uᵀ W v.
///
/// u and v approximate the leading singular vectors of W by power iteration. They are state, not
/// parameters: no leaves, and constant for every derivative. The gradient is therefore exactly that
/// of W / (uᵀ W v) with u and v held fixed, which is also the full one where u and v have
/// converged, because there ∂σ/∂u and ∂σ/∂v vanish along the unit spheres. `updateState()` runs one
/// iteration; call it once per training step, before the gradient:
///
///     model.updateState()
///     let slope = gradient(at: model) { model in loss(model) }
///
/// Miyato, Kataoka, Koyama and Yoshida, Spectral normalization for generative adversarial networks
/// (2018). The iteration and its order are those of PyTorch's parametrisation `spectral_norm`.
/// Leaves: `weight`, `bias`, those of `Dense`; state: `leftVector`, `rightVector`. A zero weight has
/// no direction and gives NaN.
public struct SpectralNormalization: Layer {
  /// W, before normalisation, and b.
  public var dense: Dense
  /// u, of shape [inputs] and length 1.
  public var leftVector: Tensor
  /// v, of shape [outputs] and length 1.
  public var rightVector: Tensor

  /// Normalises a layer.
  ///
  /// - Parameters:
  ///   - dense: W and b.
  ///   - iterations: Power iterations from a random start, at least one.
  ///   - generator: Draws the start.
  public init(_ dense: Dense, iterations: Int = 15, using generator: inout PhiloxGenerator) {
    guard iterations >= 1 else {
      stop("SpectralNormalization", "expected at least one power iteration, found \(iterations)")
    }
    self.dense = dense
    let type = dense.weight.scalarType
    leftVector = Tensor.normal([dense.inputSize], type, using: &generator)
    rightVector = Tensor.zeros([dense.outputSize], type)
    updateSpectralVectors(iterations: iterations)
  }

  /// σ = uᵀ W v: at most the largest singular value of W, and equal to it where u and v have
  /// converged.
  public var spectralNorm: Tensor {
    // A model converted leaf by leaf to another scalar type keeps its state in the old one.
    let type = dense.weight.scalarType
    return dot(leftVector.cast(to: type), matmul(dense.weight, rightVector.cast(to: type)))
  }

  /// W / σ.
  public var normalizedWeight: Tensor { dense.weight * reciprocal(spectralNorm) }

  /// x W / σ + b.
  ///
  /// - Parameter x: […, inputs].
  /// - Returns: […, outputs].
  public func callAsFunction(_ x: Tensor) -> Tensor {
    Dense(weight: normalizedWeight, bias: dense.bias)(x)
  }

  /// Runs power iterations: v ← Wᵀu / ‖Wᵀu‖, u ← Wv / ‖Wv‖.
  public mutating func updateSpectralVectors(iterations: Int) {
    let weight = stopGradient(dense.weight)
    leftVector = leftVector.cast(to: weight.scalarType)
    for _ in 0..<iterations {
      rightVector = Self.normalized(matmul(leftVector, weight))
      leftVector = Self.normalized(matmul(weight, rightVector))
    }
  }

  /// One power iteration.
  public mutating func updateState() { updateSpectralVectors(iterations: 1) }

  /// Visits u and v.
  public mutating func visitState(_ visitor: inout TensorVisitor) {
    visitor.visit(&leftVector, "leftVector")
    visitor.visit(&rightVector, "rightVector")
  }

  /// Visits weight and bias, under the names they have in `Dense`.
  public mutating func visitTensors(_ visitor: inout TensorVisitor) {
    dense.visitTensors(&visitor)
  }

  /// x / max(‖x‖, 10⁻¹²).
  private static func normalized(_ x: Tensor) -> Tensor { x / maximum(x.norm(), 1e-12) }
}
