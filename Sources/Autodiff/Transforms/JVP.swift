/// The value of a function and its Jacobian–vector product, in forward mode.
///
///     let (y, ẏ) = jvp(at: x, along: ẋ, of: f)
///
/// - Parameters:
///   - point: Any number of trees.
///   - tangent: The direction, one tree for each of the point.
///   - f: A function from the point to a tree.
/// - Returns: f(point), and J · tangent shaped like the value.
/// - Throws: What `f` throws, also from derivative rules of operations in it.
/// - Complexity: One to a few evaluations of `f`; keeps no tape.
public func jvp<each T: TensorTree, Output: TensorTree, E: Error>(
  at point: repeat each T, along tangent: repeat each T,
  of f: (repeat each T) throws(E) -> Output
) throws(E) -> (value: Output, tangent: Output) {
  let arguments = TreePack(repeat each point)
  let tangents = matching(TreePack(repeat each tangent), arguments, "jvp", "tangent")
  let level = Level(tape: nil)
  defer { level.close() }
  var traced = arguments
  traced.tensors = zip(arguments.tensors, tangents).map { primal, tangent in
    primal.scalarType.isFloatingPoint ? primal.traced(.tangent(tangent), at: level) : primal
  }
  let result = try f(repeat each traced.elements)
  var (value, derivative) = (result, result)
  let leaves = result.tensors
  value.tensors = leaves.map { $0.peeled(of: level) }
  derivative.tensors = leaves.map {
    $0.tangent(at: level) ?? Tensor.zeros(like: $0)
  }
  return (value, derivative)
}
