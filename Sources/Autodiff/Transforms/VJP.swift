/// The value of a function and its vector–Jacobian product.
///
///     let (y, pullback) = vjp(at: x, of: f)
///     let x̄ = pullback(ȳ)
///
/// - Parameters:
///   - point: Any number of trees.
///   - f: A function from the point to a tree. It runs once, here.
/// - Returns: f(point), and the linear map ȳ ↦ Jᵀ ȳ from cotangents shaped like the value to
///   cotangents shaped like the point. It may be called any number of times, and differentiated.
/// - Throws: What `f` throws; the pullback throws what derivative rules in it throw.
public func vjp<each T: TensorTree, Output: TensorTree, E: Error>(
  at point: repeat each T, of f: (repeat each T) throws(E) -> Output
) throws(E) -> (value: Output, pullback: (Output) throws(E) -> (repeat each T)) {
  let linearization = try Linearization(at: TreePack(repeat each point)) {
    (arguments: TreePack<repeat each T>) throws(E) -> Output in
    try f(repeat each arguments.elements)
  }
  return (
    linearization.value,
    { cotangent throws(E) in
      let result = try linearization.pullback(cotangent, throwing: E.self)
      return (repeat each result.elements)
    }
  )
}
