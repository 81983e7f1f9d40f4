import CTensorKernels
import Synchronization

/// Evaluates elementwise operations, reductions and movement on untraced tensors: allocates the
/// result, collapses dimensions, splits large work among threads, calls `CTensorKernels`.
enum Kernels {
  /// Elements below which a loop stays on the calling thread: about 10 µs of the cheapest loop.
  static let grain = 1 << 15

  static func unary(_ operation: tk_unary_op, _ x: Tensor) -> Tensor {
    let type = x.scalarType
    let source = x.bytes
    return Tensor(x.shape, type) { out in
      parallelFor(count: x.elementCount, grain: grain) { range in
        let offset = range.lowerBound * type.byteCount
        tk_unary(type.kernelType, operation, source + offset, out + offset, range.count)
      }
    }
  }

  static func binary(_ operation: tk_binary_op, _ a: Tensor, _ b: Tensor, _ name: String) -> Tensor
  {
    let type = a.scalarType
    requireSameType(a, b, name)
    if type == .int32 { return integerBinary(operation, a, b, name) }
    return broadcasting(a, b, type, name) { rank, dims, a, aStrides, b, bStrides, out in
      _ = tk_binary(type.kernelType, operation, rank, dims, a, aStrides, b, bStrides, out)
    }
  }

  private static func integerBinary(
    _ operation: tk_binary_op, _ a: Tensor, _ b: Tensor, _ name: String
  ) -> Tensor {
    let overflows = Atomic(false)
    let result = broadcasting(a, b, .int32, name) { rank, dims, a, aStrides, b, bStrides, out in
      if tk_binary(TK_INT32, operation, rank, dims, a, aStrides, b, bStrides, out) != 0 {
        overflows.store(true, ordering: .relaxed)
      }
    }
    if overflows.load(ordering: .relaxed) { stopOverflow(name) }
    return result
  }

  static func compare(_ operation: tk_compare_op, _ a: Tensor, _ b: Tensor, _ name: String)
    -> Tensor
  {
    requireSameType(a, b, name)
    let type = a.scalarType
    return broadcasting(a, b, .bool, name) { rank, dims, a, aStrides, b, bStrides, out in
      let out = out.assumingMemoryBound(to: UInt8.self)
      tk_compare(type.kernelType, operation, rank, dims, a, aStrides, b, bStrides, out)
    }
  }

  static func logical(_ operation: tk_logical_op, _ a: Tensor, _ b: Tensor, _ name: String)
    -> Tensor
  {
    requireType(a, .bool, name)
    requireType(b, .bool, name)
    return broadcasting(a, b, .bool, name) { rank, dims, a, aStrides, b, bStrides, out in
      let a = a.assumingMemoryBound(to: UInt8.self)
      let b = b.assumingMemoryBound(to: UInt8.self)
      let out = out.assumingMemoryBound(to: UInt8.self)
      tk_logical(operation, rank, dims, a, aStrides, b, bStrides, out)
    }
  }

  static func select(_ mask: Tensor, _ a: Tensor, _ b: Tensor) -> Tensor {
    requireType(mask, .bool, "select")
    requireSameType(a, b, "select")
    guard let ab = a.shape.broadcast(with: b.shape), let shape = ab.broadcast(with: mask.shape)
    else {
      stop("select", "shapes \(mask.shape), \(a.shape) and \(b.shape) do not broadcast")
    }
    let layout = BroadcastLayout(shape, mask.shape, a.shape, b.shape)
    return Tensor(shape, a.scalarType) { out in
      guard shape.elementCount > 0 else { return }
      layout.withPointers { rank, dims, maskStrides, aStrides, bStrides in
        tk_select(
          a.scalarType.kernelType, rank, dims, mask.bytes.assumingMemoryBound(to: UInt8.self),
          maskStrides, a.bytes, aStrides, b.bytes, bStrides, out)
      }
    }
  }

  static func cast(_ x: Tensor, to type: ScalarType) -> Tensor {
    Tensor(x.shape, type) { out in
      tk_cast(x.scalarType.kernelType, type.kernelType, x.bytes, out, x.elementCount)
    }
  }

  // MARK: - Checks

  static func requireSameType(_ a: Tensor, _ b: Tensor, _ name: String) {
    guard a.scalarType != b.scalarType else { return }
    stop(
      name,
      """
      operands have scalar types \(a.scalarType) (shape \(a.shape)) and \(b.scalarType) \
      (shape \(b.shape)); types are never mixed silently: cast(to:) one of them
      """)
  }

  static func requireType(_ x: Tensor, _ type: ScalarType, _ name: String) {
    guard x.scalarType != type else { return }
    stop(name, "expected a tensor of \(type), found \(x.scalarType) of shape \(x.shape)")
  }

  static func requireFloat(_ x: Tensor, _ name: String) {
    guard !x.scalarType.isFloatingPoint else { return }
    stop(name, "expected a floating-point tensor, found \(x.scalarType) of shape \(x.shape)")
  }

  /// Stops because an `int32` result would have been wrapped.
  static func stopOverflow(_ name: String) -> Never {
    stop(
      name,
      """
      a result is not in the range of int32, −2147483648 to 2147483647; cast(to: .float64) the \
      operands first, which holds whole numbers exactly up to 2⁵³
      """)
  }

  // MARK: - Broadcasting

  private typealias Loop = (
    _ rank: Int32, _ dims: UnsafePointer<Int>, _ a: UnsafeRawPointer,
    _ aStrides: UnsafePointer<Int>, _ b: UnsafeRawPointer, _ bStrides: UnsafePointer<Int>,
    _ out: UnsafeMutableRawPointer
  ) -> Void

  private static func broadcasting(
    _ a: Tensor, _ b: Tensor, _ resultType: ScalarType, _ name: String, _ loop: Loop
  ) -> Tensor {
    guard let shape = a.shape.broadcast(with: b.shape) else {
      stop(
        name,
        """
        shapes \(a.shape) and \(b.shape) do not broadcast: aligned from the right, two sizes must \
        be equal or one of them 1
        """)
    }
    if a.shape == b.shape || a.rank == 0 || b.rank == 0, shape.elementCount <= 2 * grain {
      // Nothing to lay out: the path of small tensors, where every nanosecond counts.
      return Tensor(shape, resultType) { out in
        var (count, aStride, bStride) = (shape.elementCount, 1, 1)
        if a.shape != b.shape { (aStride, bStride) = (a.rank == 0 ? 0 : 1, b.rank == 0 ? 0 : 1) }
        loop(1, &count, a.bytes, &aStride, b.bytes, &bStride, out)
      }
    }
    let layout = BroadcastLayout(shape, a.shape, b.shape, nil)
    let (aBytes, bBytes) = (UnsafeRawPointer(a.bytes), UnsafeRawPointer(b.bytes))
    return Tensor(shape, resultType) { out in
      let count = shape.elementCount
      guard count > 0 else { return }
      if count <= 2 * grain {
        layout.withPointers { rank, dims, aStrides, bStrides, _ in
          loop(rank, dims, aBytes, aStrides, bBytes, bStrides, out)
        }
        return
      }
      // Large results are split along the outermost collapsed dimension.
      let rowCount = count / layout.dims[0]
      let aStep = layout.strides.0[0] * a.scalarType.byteCount
      let bStep = layout.strides.1[0] * b.scalarType.byteCount
      parallelFor(count: layout.dims[0], grain: max(1, grain / rowCount)) { range in
        var part = layout
        part.dims[0] = range.count
        part.withPointers { rank, dims, aStrides, bStrides, _ in
          loop(
            rank, dims, aBytes + range.lowerBound * aStep, aStrides,
            bBytes + range.lowerBound * bStep, bStrides,
            out + range.lowerBound * rowCount * resultType.byteCount)
        }
      }
    }
  }
}

/// Common dimensions of up to three operands and a dense result, neighbouring dimensions merged
/// wherever every operand allows it; at least one dimension remains.
struct BroadcastLayout {
  var dims = Extents(repeating: 1)
  private(set) var strides = (
    Extents(repeating: 0), Extents(repeating: 0), Extents(repeating: 0)
  )
  private(set) var rank = 1

  init(_ result: Shape, _ a: Shape, _ b: Shape, _ c: Shape?) {
    let full = (
      Self.strides(of: a, in: result), Self.strides(of: b, in: result),
      c.map { Self.strides(of: $0, in: result) } ?? Extents(repeating: 0)
    )
    var isFirst = true
    for axis in 0..<result.rank where result[axis] != 1 {
      let size = result[axis]
      let last = rank - 1
      if !isFirst, strides.0[last] == full.0[axis] * size, strides.1[last] == full.1[axis] * size,
        strides.2[last] == full.2[axis] * size
      {
        dims[last] *= size
      } else {
        if !isFirst { rank += 1 }
        dims[rank - 1] = size
      }
      isFirst = false
      strides.0[rank - 1] = full.0[axis]
      strides.1[rank - 1] = full.1[axis]
      strides.2[rank - 1] = full.2[axis]
    }
  }

  /// Strides of an operand along the axes of the result, 0 where it is broadcast.
  private static func strides(of shape: Shape, in result: Shape) -> Extents {
    var strides = Extents(repeating: 0)
    let dense = shape.strides
    let shift = result.rank - shape.rank
    for axis in 0..<shape.rank where shape[axis] != 1 { strides[axis + shift] = dense[axis] }
    return strides
  }

  /// Passes rank, dimensions and the strides of the three operands to C.
  func withPointers(
    _ body: (
      Int32, UnsafePointer<Int>, UnsafePointer<Int>, UnsafePointer<Int>, UnsafePointer<Int>
    ) -> Void
  ) {
    withExtentsPointer(dims) { dims in
      withExtentsPointer(strides.0) { a in
        withExtentsPointer(strides.1) { b in
          withExtentsPointer(strides.2) { c in body(Int32(rank), dims, a, b, c) }
        }
      }
    }
  }
}

/// Passes extents to C.
func withExtentsPointer<R>(_ extents: Extents, _ body: (UnsafePointer<Int>) -> R) -> R {
  withUnsafePointer(to: extents) {
    body(UnsafeRawPointer($0).assumingMemoryBound(to: Int.self))
  }
}
