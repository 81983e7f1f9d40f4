import Autodiff

/// The state of a layer as a tree: what training changes by other means than a gradient.
///
/// A file that keeps a model needs it next to the parameters:
///
///     let parameters = model.tensors
///     let state = model.state
///     // … later, in a model made in the same way
///     restored.tensors = parameters
///     restored.state = state
///
/// Leaves are named as those of the layer: `1.runningMean`, `3.inner.0.leftVector`, …
public struct LayerState: TensorTree, Sendable {
  private let names: [String]
  private var values: [Tensor]

  fileprivate init(_ view: some TensorTree) {
    names = view.tensorPaths
    values = view.tensors
  }

  /// Visits the tensors under the names they have in the layer.
  public mutating func visitTensors(_ visitor: inout TensorVisitor) {
    for index in values.indices { visitor.visit(&values[index], names[index]) }
  }
}

extension Layer {
  /// The tensors that `visitState` lists, with their names.
  ///
  /// - Precondition: On setting, the names and shapes that the layer has.
  public var state: LayerState {
    get { LayerState(StateView(layer: self)) }
    set {
      var view = StateView(layer: self)
      Self.require(newValue, like: LayerState(view))
      view.tensors = newValue.tensors
      self = view.layer
    }
  }

  private static func require(_ found: LayerState, like expected: LayerState) {
    let (names, others) = (expected.tensorPaths, found.tensorPaths)
    guard names == others else {
      stop(
        "state",
        "the layer's state is \(names), found \(others); both must come from models built alike")
    }
    for (name, (old, new)) in zip(names, zip(expected.tensors, found.tensors)) {
      guard old.shape == new.shape, new.scalarType.isFloatingPoint == old.scalarType.isFloatingPoint
      else {
        stop(
          "state",
          """
          \(name) is \(old.shape) \(old.scalarType), found \(new.shape) \(new.scalarType); \
          both must come from models built alike
          """)
      }
    }
  }
}

extension TensorVisitor {
  /// Visits the state of a layer that is stored under a name.
  public mutating func visitState(of layer: inout some Layer, _ name: String) {
    var view = StateView(layer: layer)
    visit(&view, name)
    layer = view.layer
  }

  /// Visits the state of a layer that is stored at a position.
  public mutating func visitState(of layer: inout some Layer, at index: Int) {
    visitState(of: &layer, String(index))
  }
}

/// A layer seen as the tree of its state, where the layer itself is the tree of its parameters.
private struct StateView<L: Layer>: TensorTree {
  @Constant var layer: L
  mutating func visitTensors(_ visitor: inout TensorVisitor) { layer.visitState(&visitor) }
}
