import Autodiff

/// A function of one tensor with parameters: a value type whose leaves are the parameters.
///
/// A layer is a struct of tensors and other layers. It is copied like a number, trained by
/// differentiating a function of it, and has named leaves for errors, files and gradient checks:
///
///     struct Residual: Layer {
///       var inner: MLP
///       mutating func visitState(_ visitor: inout TensorVisitor) {
///         visitor.visitState(of: &inner, "inner")
///       }
///       mutating func updateState() { inner.updateState() }
///       func callAsFunction(_ x: Tensor) -> Tensor { x + inner(x) }
///       func callAsFunction(_ x: Tensor, _ pass: inout TrainingPass) -> Tensor {
///         x + inner(x, &pass)
///       }
///     }
///
/// What training changes by other means than a gradient is *state*: stored in the layer, not a
/// leaf, constant for every derivative, and listed by `visitState`. It is moved on by
/// `updateState()` where that needs no data (spectral normalisation), and by `adopt(_:)` where the
/// data of a forward pass determine it (running statistics, see `TrainingPass`).
///
/// A layer made of layers forwards the two calls, `visitState` and `updateState`. What it does not
/// forward does not happen: dropout inside it, for one, would stay switched off.
public protocol Layer: TensorTree, Sendable {
  /// The output for a batch of inputs, as the trained model computes it: deterministic, with
  /// running statistics, without dropout.
  func callAsFunction(_ x: Tensor) -> Tensor

  /// The output for a batch of inputs during training; `self(x)` by default.
  ///
  /// - Parameter pass: Supplies random numbers and collects new state.
  func callAsFunction(_ x: Tensor, _ pass: inout TrainingPass) -> Tensor

  /// Moves the layer's state on by one training step; does nothing by default.
  ///
  /// Call it once per step, outside the differentiated function. A layer made of layers forwards
  /// it to those that have state (see `SpectralNormalization`).
  mutating func updateState()
}

extension Layer {
  /// The output outside training, for layers that are the same in it.
  public func callAsFunction(_ x: Tensor, _ pass: inout TrainingPass) -> Tensor { self(x) }

  /// Nothing, for layers without state.
  public mutating func updateState() {}
}
