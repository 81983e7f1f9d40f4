import Autodiff

/// A function of one tensor with parameters: a value type whose leaves are the parameters.
///
/// A layer is a struct of tensors and other layers. It is copied like a number, trained by
/// differentiating a function of it, and has named leaves for errors, files and gradient checks:
///
///     struct Residual: Layer {
///       var inner: MLP
///       mutating func visitTensors(_ visitor: inout TensorVisitor) {
///         visitor.visit(&inner, "inner")
///       }
///       mutating func updateState() { inner.updateState() }
///       func callAsFunction(_ x: Tensor) -> Tensor { x + inner(x) }
///     }
///
/// What training changes by other means than a gradient is *state*: stored in the layer, not
/// visited, constant for every derivative, and moved on by `updateState()`.
public protocol Layer: TensorTree, Sendable {
  /// The output for a batch of inputs.
  func callAsFunction(_ x: Tensor) -> Tensor

  /// Moves the layer's state on by one training step; does nothing by default.
  ///
  /// Call it once per step, outside the differentiated function. A layer made of layers forwards
  /// it to those that have state (see `SpectralNormalization`).
  mutating func updateState()
}

extension Layer {
  public mutating func updateState() {}
}
