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

/// Which way a Jacobian is built.
public enum JacobianMode: Sendable {
  /// Forward with fewer inputs than outputs, otherwise reverse.
  case automatic
  /// A column per input element.
  case forward
  /// A row per output element.
  case reverse
}

/// The full Jacobian ∂f/∂x.
///
/// - Parameters:
///   - x: A floating-point tensor.
///   - mode: The direction; the result is the same.
///   - f: A function from x to a floating-point tensor.
/// - Returns: A tensor of shape f(x).shape + x.shape.
/// - Complexity: One run of `f` and min(inputs, outputs) passes over its tape.
public func jacobian<E: Error>(
  at x: Tensor, mode: JacobianMode = .automatic, of f: (Tensor) throws(E) -> Tensor
) throws(E) -> Tensor {
  Kernels.requireFloat(x, "jacobian")
  let linearization = try Linearization(at: x, of: f)
  let y = linearization.value
  Kernels.requireFloat(y, "jacobian")
  let shape = Shape(Array(y.shape) + Array(x.shape))
  let isForward =
    switch mode {
    case .automatic: x.elementCount < y.elementCount
    case .forward: true
    case .reverse: false
    }
  var slices: [Tensor] = []
  if isForward {
    for index in 0..<x.elementCount {
      let column = try linearization.pushforward(x.basis(index), throwing: E.self)
      slices.append(column.reshaped(to: [y.elementCount, 1]))
    }
  } else {
    for index in 0..<y.elementCount {
      let row = try linearization.pullback(y.basis(index), throwing: E.self)
      slices.append(row.reshaped(to: [1, x.elementCount]))
    }
  }
  guard !slices.isEmpty else { return Tensor.zeros(shape, x.scalarType) }
  return Tensor.concatenated(slices, alongAxis: isForward ? 1 : 0).reshaped(to: shape)
}

/// The full Hessian of a scalar function.
///
/// - Parameters:
///   - x: A floating-point tensor.
///   - f: A function with one output of one element.
/// - Returns: A tensor of shape x.shape + x.shape.
public func hessian<E: Error>(
  at x: Tensor, of f: (Tensor) throws(E) -> Tensor
) throws(E) -> Tensor {
  try jacobian(at: x, mode: .forward) { x throws(E) in
    try gradient(at: x, unused: .zero, of: f)
  }
}

extension Tensor {
  /// A tensor of this shape with a one at a flat index.
  fileprivate func basis(_ index: Int) -> Tensor {
    Tensor(shape, scalarType) { out in
      let size = scalarType.byteCount
      out.initializeMemory(as: UInt8.self, repeating: 0, count: elementCount * size)
      if scalarType == .float32 {
        out.storeBytes(of: 1, toByteOffset: index * size, as: Float.self)
      } else {
        out.storeBytes(of: 1, toByteOffset: index * size, as: Double.self)
      }
    }
  }
}
