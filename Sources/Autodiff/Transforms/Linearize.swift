/// The value of a function and its derivative there as a linear map, traced once.
///
///     let (y, differential) = linearize(at: x, of: f)
///     let ẏ = differential(ẋ)     // costs one pass over the tape, not another run of f
///
/// - Parameters:
///   - point: Any number of trees.
///   - f: A function from the point to a tree. It runs once, here.
/// - Returns: f(point), and the linear map ẋ ↦ J ẋ.
/// - Throws: What `f` throws; the differential throws what derivative rules in it throw.
public func linearize<each T: TensorTree, Output: TensorTree, E: Error>(
  at point: repeat each T, of f: (repeat each T) throws(E) -> Output
) throws(E) -> (value: Output, differential: Differential<Output, E, repeat each T>) {
  let linearization = try Linearization(at: TreePack(repeat each point)) {
    (arguments: TreePack<repeat each T>) throws(E) -> Output in
    try f(repeat each arguments.elements)
  }
  return (linearization.value, Differential(linearization: linearization))
}

/// The linear map ẋ ↦ J ẋ of a function at a point, from tangents shaped like the point to tangents
/// shaped like the value.
///
/// It holds the tape: it may be called any number of times, and differentiated.
public struct Differential<Output: TensorTree, E: Error, each T: TensorTree> {
  fileprivate let linearization: Linearization<TreePack<repeat each T>, Output>

  /// J · tangent.
  ///
  /// - Throws: What derivative rules of operations in the function throw.
  /// - Precondition: The tangent has the structure and the shapes of the point.
  public func callAsFunction(_ tangent: repeat each T) throws(E) -> Output {
    try linearization.pushforward(TreePack(repeat each tangent), throwing: E.self)
  }
}

/// The value of a function and its derivative there in both directions, traced once.
package func linearizeInBothDirections<Input: TensorTree, Output: TensorTree, E: Error>(
  at point: Input, of f: (Input) throws(E) -> Output
) throws(E) -> (
  value: Output, differential: Differential<Output, E, Input>, pullback: Pullback<Output, E, Input>
) {
  let linearization = try Linearization(at: TreePack(point)) {
    (arguments: TreePack<Input>) throws(E) -> Output in try f(arguments.elements)
  }
  return (
    linearization.value, Differential(linearization: linearization),
    Pullback(linearization: linearization)
  )
}
