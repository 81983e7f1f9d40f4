import Autodiff

/// A multilayer perceptron: affine maps with an activation between them.
///
///     var generator = PhiloxGenerator(seed: 1)
///     let network = MLP(widths: [2, 32, 32, 1], activation: .tanh, using: &generator)
///
/// Leaves are those of the `Sequential` it consists of: `0.weight`, `0.bias`, `2.weight`, …
public struct MLP: Layer {
  /// Where layer normalisation stands in each hidden layer.
  public enum LayerNormPlacement: Sendable, CaseIterable {
    case none, beforeActivation, afterActivation
  }

  private var body: Sequential

  /// The layers; activations count, the identity is left out.
  public var layers: [any Layer] {
    get { body.layers }
    set { body.layers = newValue }
  }

  /// Creates a network with random parameters.
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
    body = Sequential(layers)
  }

  /// The outputs for a batch.
  ///
  /// - Parameter x: […, first width].
  /// - Returns: […, last width].
  public func callAsFunction(_ x: Tensor) -> Tensor { body(x) }

  public func callAsFunction(_ x: Tensor, _ pass: inout TrainingPass) -> Tensor { body(x, &pass) }

  public mutating func visitState(_ visitor: inout TensorVisitor) { body.visitState(&visitor) }

  public mutating func updateState() { body.updateState() }

  public mutating func visitTensors(_ visitor: inout TensorVisitor) {
    body.visitTensors(&visitor)
  }
}
