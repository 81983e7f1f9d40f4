/// The value of a function and its vector–Jacobian product.
///
///     let (y, pullback) = vjp(at: x, of: f)
///     let x̄ = pullback(ȳ)
///
/// - Parameters:
///   - point: Any number of trees.
///   - f: A function from the point to a tree. It runs once, here.
/// - Returns: f(point), and the linear map ȳ ↦ Jᵀ ȳ.
/// - Throws: What `f` throws; the pullback throws what derivative rules in it throw.
public func vjp<each T: TensorTree, Output: TensorTree, E: Error>(
  at point: repeat each T, of f: (repeat each T) throws(E) -> Output
) throws(E) -> (value: Output, pullback: Pullback<Output, E, repeat each T>) {
  let linearization = try Linearization(at: TreePack(repeat each point)) {
    (arguments: TreePack<repeat each T>) throws(E) -> Output in
    try f(repeat each arguments.elements)
  }
  return (linearization.value, Pullback(linearization: linearization))
}

/// The linear map ȳ ↦ Jᵀ ȳ of a function at a point, from cotangents shaped like the value to
/// cotangents shaped like the point.
///
/// It holds the tape: it may be called any number of times, and differentiated.
public struct Pullback<Output: TensorTree, E: Error, each T: TensorTree> {
  let linearization: Linearization<TreePack<repeat each T>, Output>

  /// Jᵀ · cotangent; zeros for tensors the value does not depend on.
  ///
  /// - Throws: What derivative rules of operations in the function throw.
  /// - Precondition: The cotangent has the structure and the shapes of the value.
  public func callAsFunction(_ cotangent: Output) throws(E) -> (repeat each T) {
    let result = try linearization.pullback(cotangent, throwing: E.self)
    return (repeat each result.elements)
  }
}
