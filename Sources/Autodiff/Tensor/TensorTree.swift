/// A value made of tensors in a fixed order: a tensor, an array, a dictionary, an optional, or a
/// user's struct.
///
/// Arguments and results of every transform are trees. A struct becomes one by saying so; its leaves
/// are its stored properties in order, `let` ones too, named as they are:
///
///     struct Affine: TensorTree {
///       var weight: Tensor
///       var bias: Tensor
///     }
///
/// Every property that holds tensors must be a tree itself, or be marked `@Constant`: a tensor that
/// is no leaf is constant for every derivative, and must not be so by accident.
///
/// Other orders and names, enums, and arrays of protocol types need a visit of their own:
///
///     extension Affine {
///       mutating func visitTensors(_ visitor: inout TensorVisitor) {
///         visitor.visit(&bias, "b")
///         visitor.visit(&weight, "W")
///       }
///     }
///
/// It is compared with the stored properties once per type, and a tensor it leaves out is refused.
///
/// Trees are values: a class is refused. Two trees of one type correspond leaf by leaf when their
/// leaves have the same names.
public protocol TensorTree: SendableMetatype {
  /// Visits every tensor, always in the same order, with the name of the property it is stored in;
  /// by default the stored properties in order. Property observers are not called then.
  mutating func visitTensors(_ visitor: inout TensorVisitor)

  /// Visits every stored tensor that is state: no leaf, but changed by training in other ways, such
  /// as running statistics; none by default.
  mutating func visitState(_ visitor: inout TensorVisitor)
}

extension TensorTree {
  /// Visits the stored properties that can hold tensors, in order and under their names.
  public mutating func visitTensors(_ visitor: inout TensorVisitor) {
    let type = TreeType.of(Self.self)
    withUnsafeMutablePointer(to: &self) { start in
      type.visitProperties(of: Self.self, at: UnsafeMutableRawPointer(start), &visitor)
    }
  }

  /// Nothing, for trees without state.
  public mutating func visitState(_ visitor: inout TensorVisitor) {}
}

extension TensorTree {
  /// The tensors in visiting order.
  ///
  /// - Precondition: On setting, as many tensors as the tree has.
  public var tensors: [Tensor] {
    get {
      TreeType.require(self)
      var copy = self
      var visitor = TensorVisitor.collecting()
      copy.visitTensors(&visitor)
      return visitor.tensors
    }
    set {
      TreeType.require(self)
      var visitor = TensorVisitor.replacing(newValue)
      visitTensors(&visitor)
      visitor.requireCount()
    }
  }

  /// Names of the tensors in visiting order, such as `encoder.layers.2.weight`; the path of a tree
  /// that is a single tensor is empty.
  public var tensorPaths: [String] {
    TreeType.require(self)
    var copy = self
    var visitor = TensorVisitor.naming()
    copy.visitTensors(&visitor)
    return visitor.paths
  }

  /// Whether the leaves of another tree have the same names, without making them.
  func hasSamePaths(as other: Self) -> Bool {
    func fingerprint(_ tree: Self) -> UInt64 {
      TreeType.require(tree)
      var copy = tree
      var visitor = TensorVisitor.fingerprinting()
      copy.visitTensors(&visitor)
      return visitor.fingerprint
    }
    return fingerprint(self) == fingerprint(other)
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

  /// The tensors that visits leave out, here and in parts, with the path of the tree they belong to.
  package var omittedTensors: [(path: String, message: String)] {
    var visitor = TensorVisitor.auditing()
    visitor.audit(self)
    return visitor.omissions.map { path, omission in
      ([path, omission.property].filter { !$0.isEmpty }.joined(separator: "."), omission.message)
    }
  }
}
