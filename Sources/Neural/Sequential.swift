import Autodiff

/// Layers one after the other, of any types: x ↦ layers[n−1](… layers[0](x)).
///
///     var generator = PhiloxGenerator(seed: 1)
///     var features = Sequential {
///       Dense(inputSize: 3, outputSize: 64, using: &generator)
///       Activation.relu
///       LayerNorm(featureCount: 64)
///     }
///
/// A value like any other layer: a copy shares nothing that a change of the original could reach.
/// Leaves are named by position: `0.weight`, `0.bias`, `2.weight`, …
public struct Sequential: Layer {
  /// The layers in the order in which they are applied.
  public var layers: [any Layer]

  /// Creates a composition; the empty one is the identity.
  public init(_ layers: [any Layer]) { self.layers = layers }

  /// Creates a composition of the layers listed in a closure, which may use `if` and `for`.
  public init(@LayerBuilder layers: () -> [any Layer]) { self.layers = layers() }

  /// The output of the last layer.
  public func callAsFunction(_ x: Tensor) -> Tensor { layers.reduce(x) { $1($0) } }

  /// The output of the last layer in training; all layers share the pass.
  public func callAsFunction(_ x: Tensor, _ pass: inout TrainingPass) -> Tensor {
    var x = x
    for layer in layers { x = layer(x, &pass) }
    return x
  }

  /// Visits the states of the layers, named by position.
  public mutating func visitState(_ visitor: inout TensorVisitor) {
    for index in layers.indices { visitor.visitState(of: &layers[index], at: index) }
  }

  /// Moves the states of the layers on, in order.
  public mutating func updateState() {
    for index in layers.indices { layers[index].updateState() }
  }

  /// Visits the parameters of the layers, named by position.
  public mutating func visitTensors(_ visitor: inout TensorVisitor) {
    for index in layers.indices { visitor.visit(&layers[index], at: index) }
  }
}

extension Sequential: ContainerTree {}

/// Collects the layers of a `Sequential` closure.
@resultBuilder
public enum LayerBuilder {
  /// One layer.
  public static func buildExpression(_ layer: some Layer) -> [any Layer] { [layer] }
  /// Layers made elsewhere.
  public static func buildExpression(_ layers: [any Layer]) -> [any Layer] { layers }
  /// Statements in order.
  public static func buildBlock(_ parts: [any Layer]...) -> [any Layer] { parts.flatMap { $0 } }
  /// `if` without `else`.
  public static func buildOptional(_ part: [any Layer]?) -> [any Layer] { part ?? [] }
  /// The first branch of `if` and `switch`.
  public static func buildEither(first part: [any Layer]) -> [any Layer] { part }
  /// The other branch of `if` and `switch`.
  public static func buildEither(second part: [any Layer]) -> [any Layer] { part }
  /// `for`.
  public static func buildArray(_ parts: [[any Layer]]) -> [any Layer] { parts.flatMap { $0 } }
}
