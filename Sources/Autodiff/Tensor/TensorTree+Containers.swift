/// A tree of this package that consists of other trees and visits all of them.
package protocol ContainerTree: TensorTree {}

extension Tensor: TensorTree, ContainerTree {
  /// Visits itself, a leaf.
  public mutating func visitTensors(_ visitor: inout TensorVisitor) { visitor.visitLeaf(&self) }
}

extension Array: TensorTree where Element: TensorTree {
  /// Visits the elements, named by position.
  public mutating func visitTensors(_ visitor: inout TensorVisitor) {
    for index in indices { visitor.visit(&self[index], at: index) }
  }
}

extension Optional: TensorTree where Wrapped: TensorTree {
  /// Visits the value, if there is one, under the name of the optional.
  public mutating func visitTensors(_ visitor: inout TensorVisitor) {
    guard var value = self else { return }
    visitor.visitContent(&value)
    self = value
  }
}

extension Dictionary: TensorTree where Key: Comparable, Value: TensorTree {
  /// Visits the values in the order of their keys.
  public mutating func visitTensors(_ visitor: inout TensorVisitor) {
    for key in keys.sorted() {
      guard var value = self[key] else { continue }
      visitor.visit(&value, "\(key)")
      self[key] = value
    }
  }
}

extension Array: ContainerTree where Element: TensorTree {}
extension Optional: ContainerTree where Wrapped: TensorTree {}
extension Dictionary: ContainerTree where Key: Comparable, Value: TensorTree {}

/// Several trees as one, where one is asked for: the input of a `CustomDerivative`, say.
///
///     let f = CustomDerivative<TreePack<Tensor, Model>, Tensor, Never>(…)
///     let y = f(TreePack(x, model))
public struct TreePack<each T: TensorTree>: TensorTree, ContainerTree {
  /// The packed trees, in the order of their types.
  public var elements: (repeat each T)

  /// Packs trees.
  public init(_ elements: repeat each T) { self.elements = (repeat each elements) }

  /// Visits the trees as `argument 0`, `argument 1`, ….
  public mutating func visitTensors(_ visitor: inout TensorVisitor) {
    var index = 0
    func visited<X: TensorTree>(_ element: X, _ visitor: inout TensorVisitor) -> X {
      var element = element
      visitor.visit(&element, "argument \(index)")
      index += 1
      return element
    }
    elements = (repeat visited(each elements, &visitor))
  }
}

extension TreePack: Sendable where repeat each T: Sendable {}
