import Autodiff

/// A multilayer perceptron: affine maps with an activation between them.
///
///     var generator = PhiloxGenerator(seed: 1)
///     let network = MLP(widths: [2, 32, 32, 1], activation: .tanh, using: &generator)
///
/// It is a `Sequential` of these layers, with leaves `0.weight`, `0.bias`, `2.weight`, …; activations
/// count, the identity is left out.
public typealias MLP = Sequential

extension Sequential {
  /// Where layer normalisation stands in each hidden layer of an `MLP`.
  public enum LayerNormPlacement: Sendable, CaseIterable {
    /// Nowhere.
    case none
    /// Between the affine map and the activation.
    case beforeActivation
    /// Behind the activation.
    case afterActivation
  }

  /// Creates an `MLP` with random parameters.
  ///
  /// - Parameters:
  ///   - widths: Sizes from the input to the output, at least two.
  ///   - activation: After every affine map but the last.
  ///   - finalActivation: After the last affine map.
  ///   - layerNorm: Where each hidden layer is normalised.
  ///   - isSpectrallyNormalized: Whether every weight is divided by its largest singular value (see
  ///     `SpectralNormalization`); then call `updateState()` before each training step.
  ///   - weight: How weights are drawn.
  ///   - bias: How biases are drawn; nil for none.
  ///   - scalarType: `float32` or `float64`.
  ///   - generator: Where the numbers come from; layers draw in order.
  public init(
    widths: [Int], activation: Activation = .relu, finalActivation: Activation = .identity,
    layerNorm: LayerNormPlacement = .none, isSpectrallyNormalized: Bool = false,
    weight: Initializer = .fanInUniform, bias: Initializer? = .fanInUniform,
    scalarType: ScalarType = .float64, using generator: inout PhiloxGenerator
  ) {
    guard widths.count >= 2 else {
      stop("MLP", "expected at least two widths, those of input and output, found \(widths)")
    }
    var layers: [any Layer] = []
    for index in 1..<widths.count {
      let dense = Dense(
        inputSize: widths[index - 1], outputSize: widths[index], weight: weight, bias: bias,
        scalarType: scalarType, using: &generator)
      layers.append(
        isSpectrallyNormalized ? SpectralNormalization(dense, using: &generator) : dense)
      let isLast = index == widths.count - 1
      let norm = LayerNorm(featureCount: widths[index], scalarType: scalarType)
      if !isLast && layerNorm == .beforeActivation { layers.append(norm) }
      let function = isLast ? finalActivation : activation
      if function != .identity { layers.append(function) }
      if !isLast && layerNorm == .afterActivation { layers.append(norm) }
    }
    self.init(layers)
  }
}
