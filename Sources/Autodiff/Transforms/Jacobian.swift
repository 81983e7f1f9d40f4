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
///   - mode: The direction.
///   - f: A function from x to a floating-point tensor.
/// - Returns: A tensor of shape f(x).shape + x.shape.
/// - Complexity: One run of `f` and min(inputs, outputs) passes over its tape.
public func jacobian<E: Error>(
  at x: Tensor, mode: JacobianMode = .automatic, of f: (Tensor) throws(E) -> Tensor
) throws(E) -> Tensor {
  Kernels.requireFloat(x, "jacobian")
  let linearization = try Linearization(at: x, of: f)
  Kernels.requireFloat(linearization.value, "jacobian")
  return try JacobianBlocks(linearization, x, mode, throwing: E.self)[output: 0, input: 0]
}

/// The full Hessian of a scalar function of one tensor.
///
/// For a tree see `hessianBlocks(at:of:)`; for products with the Hessian only, `hvp(at:along:of:)`.
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

/// The full Jacobian of a function of trees, tensor by tensor.
///
/// - Parameters:
///   - point: Any number of trees.
///   - mode: The direction.
///   - f: A function from the point to a tree.
/// - Returns: A block for each pair of an output and an input tensor.
/// - Complexity: One run of `f` and min(inputs, outputs) passes over its tape, counted in elements.
public func jacobianBlocks<each T: TensorTree, Output: TensorTree, E: Error>(
  at point: repeat each T, mode: JacobianMode = .automatic,
  of f: (repeat each T) throws(E) -> Output
) throws(E) -> JacobianBlocks {
  let arguments = TreePack(repeat each point)
  let linearization = try Linearization(at: arguments) {
    (arguments: TreePack<repeat each T>) throws(E) -> Output in
    try f(repeat each arguments.elements)
  }
  return try JacobianBlocks(linearization, arguments, mode, throwing: E.self)
}

/// The full Hessian of a scalar function of trees, tensor by tensor.
///
/// - Parameters:
///   - point: Any number of trees.
///   - f: A function with one output of one element.
/// - Returns: A block for each pair of input tensors.
public func hessianBlocks<each T: TensorTree, E: Error>(
  at point: repeat each T, of f: (repeat each T) throws(E) -> Tensor
) throws(E) -> JacobianBlocks {
  let arguments = TreePack(repeat each point)
  let linearization = try Linearization(at: arguments) {
    (arguments: TreePack<repeat each T>) throws(E) -> TreePack<repeat each T> in
    let result = try gradient(at: repeat each arguments.elements, unused: .zero, of: f)
    return TreePack(repeat each result)
  }
  return try JacobianBlocks(linearization, arguments, .forward, throwing: E.self)
}

/// A Jacobian by pairs of tensors: the block of output y and input x has shape y.shape + x.shape.
///
/// Pairs with a tensor that is not floating point have a block of zeros.
public struct JacobianBlocks: Sendable, CustomStringConvertible {
  /// Names of the output tensors.
  public let outputPaths: [String]
  /// Names of the input tensors, such as `argument 0.weight`.
  public let inputPaths: [String]
  private let blocks: [[Tensor]]

  /// The block of an output and an input tensor, by their positions.
  public subscript(output output: Int, input input: Int) -> Tensor { blocks[output][input] }

  /// Each block with the names of its tensors and its shape.
  public var description: String {
    outputPaths.indices.flatMap { output in
      inputPaths.indices.map { input in
        let names = [outputPaths[output], inputPaths[input]].map { $0.isEmpty ? "value" : $0 }
        return "∂(\(names[0]))/∂(\(names[1])): \(blocks[output][input].shape)"
      }
    }.joined(separator: "\n")
  }

  init<Input: TensorTree, Output: TensorTree, E: Error>(
    _ linearization: Linearization<Input, Output>, _ point: Input, _ mode: JacobianMode,
    throwing: E.Type
  ) throws(E) {
    let (inputs, outputs) = (point.tensors, linearization.value.tensors)
    outputPaths = linearization.value.tensorPaths
    inputPaths = point.tensorPaths
    let isForward =
      switch mode {
      case .automatic: point.elementCount < linearization.value.elementCount
      case .forward: true
      case .reverse: false
      }
    // Rows or columns of each block, one after the other.
    var slices = outputs.map { _ in inputs.map { _ in [Tensor]() } }
    if isForward {
      for (input, x) in inputs.enumerated() where x.scalarType.isFloatingPoint {
        for element in 0..<x.elementCount {
          let column = try linearization.column(
            input: input, tangent: x.basis(element), throwing: E.self)
          for (output, y) in outputs.enumerated() {
            let part = column[output] ?? Tensor.zeros(like: y)
            slices[output][input].append(part.reshaped(to: [y.elementCount, 1]))
          }
        }
      }
    } else {
      for (output, y) in outputs.enumerated() where y.scalarType.isFloatingPoint {
        for element in 0..<y.elementCount {
          let row = try linearization.row(
            output: output, cotangent: y.basis(element), throwing: E.self)
          for (input, x) in inputs.enumerated() {
            let part = row[input] ?? Tensor.zeros(like: x)
            slices[output][input].append(part.reshaped(to: [1, x.elementCount]))
          }
        }
      }
    }
    blocks = outputs.indices.map { output in
      inputs.indices.map { input in
        let parts = slices[output][input]
        let shape = Shape(Array(outputs[output].shape) + Array(inputs[input].shape))
        guard !parts.isEmpty else { return Tensor.zeros(shape, inputs[input].scalarType) }
        return Tensor.concatenated(parts, alongAxis: isForward ? 1 : 0).reshaped(to: shape)
      }
    }
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
