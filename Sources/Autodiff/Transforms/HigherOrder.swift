/// A Hessian–vector product H v of a scalar function, forward over reverse.
///
/// - Parameters:
///   - point: Any number of trees.
///   - direction: v, one tree for each of the point.
///   - f: A function with one output of one element.
/// - Returns: H · direction, shaped like the point.
/// - Complexity: A few gradients; H is never formed.
public func hvp<each T: TensorTree, E: Error>(
  at point: repeat each T, along direction: repeat each T,
  of f: (repeat each T) throws(E) -> Tensor
) throws(E) -> (repeat each T) {
  let result = try jvp(
    at: TreePack(repeat each point), along: TreePack(repeat each direction)
  ) { (arguments: TreePack<repeat each T>) throws(E) -> TreePack<repeat each T> in
    let result = try gradient(at: repeat each arguments.elements, unused: .zero, of: f)
    return TreePack(repeat each result)
  }
  return (repeat each result.tangent.elements)
}
