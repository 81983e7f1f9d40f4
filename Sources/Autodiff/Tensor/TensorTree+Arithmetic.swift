// Trees as vectors. The operators of `Tensor` and those of Swift's collections come first wherever
// both would do: `+` of two arrays joins them.

extension TensorTree {
  /// The sum, leaf by leaf.
  ///
  ///     network = network - rate * slope
  ///
  /// Differentiable in everything. Tensors that are not floating point, such as indices, are those
  /// of the left operand. The `+` of two arrays joins them, as everywhere in Swift; an array inside
  /// another tree, or in a generic function of trees, is added leaf by leaf.
  ///
  /// - Precondition: Leaves of the same names, shapes and scalar types: nothing broadcasts.
  @_disfavoredOverload
  public static func + (a: Self, b: Self) -> Self { combined(a, b, "+") { $0 + $1 } }

  /// The difference, leaf by leaf; see `+`.
  @_disfavoredOverload
  public static func - (a: Self, b: Self) -> Self { combined(a, b, "-") { $0 - $1 } }

  /// The negative of every floating-point leaf.
  @_disfavoredOverload
  public static prefix func - (a: Self) -> Self { a.mapFloats { -$0 } }

  /// Every floating-point leaf times a number.
  @_disfavoredOverload
  public static func * (factor: Double, a: Self) -> Self { a.mapFloats { factor * $0 } }

  /// Every floating-point leaf times a number.
  @_disfavoredOverload
  public static func * (a: Self, factor: Double) -> Self { factor * a }

  /// Every floating-point leaf times a scalar tensor, which may be differentiated.
  ///
  /// - Precondition: A floating-point factor of one element; it is converted to each leaf's type.
  @_disfavoredOverload
  public static func * (factor: Tensor, a: Self) -> Self {
    guard factor.elementCount == 1, factor.scalarType.isFloatingPoint else {
      stop(
        "*",
        """
        a tree is scaled by a floating-point tensor of one element, found \(factor.shape) \
        \(factor.scalarType); use mapTensors for other products
        """)
    }
    let scalar = factor.reshaped(to: [])
    return a.mapFloats { scalar.cast(to: $0.scalarType) * $0 }
  }

  /// Every floating-point leaf times a scalar tensor, which may be differentiated.
  @_disfavoredOverload
  public static func * (a: Self, factor: Tensor) -> Self { factor * a }

  /// Every floating-point leaf divided by a number.
  @_disfavoredOverload
  public static func / (a: Self, divisor: Double) -> Self { a.mapFloats { $0 / divisor } }

  /// Adds in place, leaf by leaf; see `+`.
  @_disfavoredOverload
  public static func += (a: inout Self, b: Self) { a = combined(a, b, "+=") { $0 + $1 } }

  /// Subtracts in place, leaf by leaf; see `+`.
  @_disfavoredOverload
  public static func -= (a: inout Self, b: Self) { a = combined(a, b, "-=") { $0 - $1 } }

  /// The Euclidean norm over all floating-point leaves together; a scalar tensor.
  ///
  /// √⟨a, a⟩ without overflow, with the derivative of a norm: 0 where every element is 0. In the
  /// widest scalar type of the leaves.
  @_disfavoredOverload
  public func norm() -> Tensor { flattenedFloats().norm() }

  private func mapFloats(_ transform: (Tensor) -> Tensor) -> Self {
    mapTensors { $0.scalarType.isFloatingPoint ? transform($0) : $0 }
  }

  private static func combined(
    _ a: Self, _ b: Self, _ name: String, _ operation: (Tensor, Tensor) -> Tensor
  ) -> Self {
    let (right, left) = matched(b, a, name, "right operand")
    var result = a
    result.tensors = zip(left, right).map { left, right in
      left.scalarType.isFloatingPoint ? operation(left, right) : left
    }
    return result
  }

  /// All floating-point leaves as one vector of their widest scalar type.
  fileprivate func flattenedFloats() -> Tensor {
    let leaves = tensors.filter { $0.scalarType.isFloatingPoint }
    guard !leaves.isEmpty else { return Tensor.zeros([0]) }
    let type: ScalarType = leaves.contains { $0.scalarType == .float64 } ? .float64 : .float32
    return Tensor.concatenated(leaves.map { $0.reshaped(to: [-1]).cast(to: type) })
  }
}

/// ⟨a, b⟩: the sum of the products of all floating-point elements of two trees; a scalar tensor, in
/// the widest scalar type of the leaves.
///
/// - Precondition: Leaves of the same names, shapes and scalar types.
@_disfavoredOverload
public func dot<Tree: TensorTree>(_ a: Tree, _ b: Tree) -> Tensor {
  _ = matching(b, a, "dot", "right operand")
  return dot(a.flattenedFloats(), b.flattenedFloats())
}
