/// What `gradient` does about an argument that the result does not depend on.
public enum UnusedArguments: Sendable {
  /// Stop the program and name the tensor: most often a forgotten parameter.
  case refused
  /// Give a zero gradient.
  case zero
}

/// The gradient of a scalar function at a point, in reverse mode.
///
///     let slope = gradient(at: x) { x in (x * x).sum() }
///
/// - Parameters:
///   - point: Any number of trees; the result has their structure.
///   - unused: What to do about a floating-point tensor that the result does not depend on.
///   - f: A function with one floating-point output of one element. Where it captures a tensor that
///     an enclosing transform differentiates, the result depends on that tensor correctly.
/// - Returns: ∂f/∂(each tensor), zeros for tensors that are not floating point.
/// - Throws: What `f` throws, also from the derivative rules of operations in it.
/// - Precondition: The output has one element.
public func gradient<each T: TensorTree, E: Error>(
  at point: repeat each T, unused: UnusedArguments = .refused,
  of f: (repeat each T) throws(E) -> Tensor
) throws(E) -> (repeat each T) {
  try valueWithGradient(at: repeat each point, unused: unused, of: f).gradient
}

/// The value and the gradient of a scalar function at a point, in reverse mode.
///
/// See `gradient(at:unused:of:)`.
public func valueWithGradient<each T: TensorTree, E: Error>(
  at point: repeat each T, unused: UnusedArguments = .refused,
  of f: (repeat each T) throws(E) -> Tensor
) throws(E) -> (value: Tensor, gradient: (repeat each T)) {
  let arguments = TreePack(repeat each point)
  let linearization = try Linearization(at: arguments) {
    (arguments: TreePack<repeat each T>) throws(E) -> Tensor in
    try f(repeat each arguments.elements)
  }
  let value = linearization.value
  guard value.elementCount == 1, value.scalarType.isFloatingPoint else {
    stop(
      "gradient",
      """
      the function returned \(value.shape) \(value.scalarType), but only a floating-point value of \
      one element has a gradient. Reduce it (sum, mean), or use jacobian(at:of:) or vjp(at:of:)
      """)
  }
  let (gradient, independent) = try linearization.drainingPullback(
    Tensor.ones(like: value), throwing: E.self)
  if unused == .refused, let path = independent.first {
    stop(
      "gradient",
      """
      the result does not depend on \(path) through any differentiable operation, so its gradient \
      is zero. If that is meant, pass unused: .zero; if not, the tensor was left out, or replaced \
      by a constant on the way
      """)
  }
  return (value, (repeat each gradient.elements))
}
