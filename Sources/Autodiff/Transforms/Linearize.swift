/// The value of a function and its derivative there as a linear map, traced once.
///
///     let (y, differential) = linearize(at: x, of: f)
///     let ẏ = differential(ẋ)     // costs one pass over the tape, not another run of f
///
/// - Parameters:
///   - point: Any number of trees.
///   - f: A function from the point to a tree. It runs once, here.
/// - Returns: f(point), and the linear map ẋ ↦ J ẋ from tangents shaped like the point to tangents
///   shaped like the value. It may be called any number of times, and differentiated.
/// - Throws: What `f` throws; the differential throws what derivative rules in it throw.
public func linearize<each T: TensorTree, Output: TensorTree, E: Error>(
  at point: repeat each T, of f: (repeat each T) throws(E) -> Output
) throws(E) -> (value: Output, differential: (repeat each T) throws(E) -> Output) {
  let linearization = try Linearization(at: TreePack(repeat each point)) {
    (arguments: TreePack<repeat each T>) throws(E) -> Output in
    try f(repeat each arguments.elements)
  }
  return (
    linearization.value,
    { (tangent: repeat each T) throws(E) in
      try linearization.pushforward(TreePack(repeat each tangent), throwing: E.self)
    }
  )
}
