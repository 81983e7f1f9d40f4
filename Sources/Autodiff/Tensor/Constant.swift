/// A stored value that is deliberately no part of a tree: constant for every derivative, not trained,
/// not saved with the leaves.
///
///     struct Masked: TensorTree {
///       var weight: Tensor
///       @Constant var mask: Tensor
///     }
///
/// Without it a tensor that `visitTensors` leaves out is refused, because a forgotten parameter looks
/// the same. For a `let`, write the type: `let mask: Constant<Tensor>`.
@propertyWrapper
public struct Constant<Value> {
  /// What is no part of the tree: no transform differentiates it.
  public var wrappedValue: Value

  /// Marks a value.
  public init(wrappedValue: Value) { self.wrappedValue = wrappedValue }
}

extension Constant: Sendable where Value: Sendable {}
extension Constant: Equatable where Value: Equatable {}
extension Constant: Hashable where Value: Hashable {}

/// A type that says that what it holds is no part of a tree.
protocol NoTree {}

extension Constant: NoTree {}
