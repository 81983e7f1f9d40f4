/// A value made of tensors in a fixed order: a tensor, an array, a dictionary, an optional, or a
/// user's struct.
///
/// Arguments and results of every transform are trees.
///
/// One requirement, a visit of the stored tensors with their names:
///
///     struct Affine: TensorTree {
///       var weight: Tensor
///       var bias: Tensor
///       mutating func visitTensors(_ visitor: inout TensorVisitor) {
///         visitor.visit(&weight, "weight")
///         visitor.visit(&bias, "bias")
///       }
///     }
///
/// Trees are values: a class is refused. Two trees of one type correspond leaf by leaf when their
/// leaves have the same names.
public protocol TensorTree {
  /// Visits every tensor, always in the same order, with the name of the property it is stored in.
  mutating func visitTensors(_ visitor: inout TensorVisitor)
}

/// What a tree shows its tensors to; made by the library, handed to `TensorTree.visitTensors`.
public struct TensorVisitor {
  private enum Task {
    case collect
    case replace([Tensor])
    case name
  }

  private let task: Task
  fileprivate private(set) var tensors: [Tensor] = []
  fileprivate private(set) var paths: [String] = []
  private var prefix = ""
  private var count = 0

  fileprivate static func collecting() -> TensorVisitor { TensorVisitor(task: .collect) }
  fileprivate static func naming() -> TensorVisitor { TensorVisitor(task: .name) }
  fileprivate static func replacing(_ tensors: [Tensor]) -> TensorVisitor {
    TensorVisitor(task: .replace(tensors))
  }

  private init(task: Task) { self.task = task }

  /// Visits a part of a tree under a name: a property, or a key.
  public mutating func visit(_ part: inout some TensorTree, _ name: String) {
    requireValueType(part)
    guard case .name = task else { return part.visitTensors(&self) }
    let outer = prefix
    prefix = outer.isEmpty ? name : "\(outer).\(name)"
    part.visitTensors(&self)
    prefix = outer
  }

  /// Visits a part of a tree that has a position, not a name.
  public mutating func visit(_ part: inout some TensorTree, at index: Int) {
    requireValueType(part)
    guard case .name = task else { return part.visitTensors(&self) }
    visit(&part, String(index))
  }

  fileprivate mutating func visitLeaf(_ tensor: inout Tensor) {
    switch task {
    case .collect: tensors.append(tensor)
    case .name: paths.append(prefix)
    case .replace(let replacements):
      if count < replacements.count { tensor = replacements[count] }
    }
    count += 1
  }

  fileprivate func requireCount() {
    if case .replace(let replacements) = task, replacements.count != count {
      stop("TensorTree", "a tree of \(count) tensors was given \(replacements.count)")
    }
  }
}

/// Refuses classes: a tree is copied and refilled, which would overwrite a shared object.
private func requireValueType<T: TensorTree>(_ tree: T) {
  if T.self is AnyObject.Type {
    stop("TensorTree", "\(T.self) is a class; a tree is copied like a number, so make it a struct")
  }
}

extension TensorTree {
  /// The tensors in visiting order.
  ///
  /// - Precondition: On setting, as many tensors as the tree has.
  public var tensors: [Tensor] {
    get {
      requireValueType(self)
      var copy = self
      var visitor = TensorVisitor.collecting()
      copy.visitTensors(&visitor)
      return visitor.tensors
    }
    set {
      requireValueType(self)
      var visitor = TensorVisitor.replacing(newValue)
      visitTensors(&visitor)
      visitor.requireCount()
    }
  }

  /// Names of the tensors in visiting order, such as `encoder.layers.2.weight`; the path of a tree
  /// that is a single tensor is empty.
  public var tensorPaths: [String] {
    var copy = self
    var visitor = TensorVisitor.naming()
    copy.visitTensors(&visitor)
    return visitor.paths
  }

  /// The tree with every tensor replaced by its image.
  public func mapTensors<E>(_ transform: (Tensor) throws(E) -> Tensor) throws(E) -> Self {
    var result = self
    var images: [Tensor] = []
    for tensor in tensors { images.append(try transform(tensor)) }
    result.tensors = images
    return result
  }

  /// The number of elements of all tensors together.
  public var elementCount: Int { tensors.reduce(0) { $0 + $1.elementCount } }
}

extension Tensor: TensorTree {
  public mutating func visitTensors(_ visitor: inout TensorVisitor) { visitor.visitLeaf(&self) }
}

extension Array: TensorTree where Element: TensorTree {
  public mutating func visitTensors(_ visitor: inout TensorVisitor) {
    for index in indices { visitor.visit(&self[index], at: index) }
  }
}

extension Optional: TensorTree where Wrapped: TensorTree {
  public mutating func visitTensors(_ visitor: inout TensorVisitor) {
    guard var value = self else { return }
    value.visitTensors(&visitor)
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

/// Several trees as one, where one is asked for: the input of a `CustomDerivative`, say.
///
///     let f = CustomDerivative<TreePack<Tensor, Model>, Tensor, Never>(…)
///     let y = f(TreePack(x, model))
public struct TreePack<each T: TensorTree>: TensorTree {
  /// The trees.
  public var elements: (repeat each T)

  /// Packs trees.
  public init(_ elements: repeat each T) { self.elements = (repeat each elements) }

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
