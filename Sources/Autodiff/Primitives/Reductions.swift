import CTensorKernels

/// A set of axes, counted from the front.
struct AxisSet: Sendable, Equatable {
  private var flags: UInt8 = 0

  init() {}

  init(_ axes: [Int]?, of shape: Shape, _ operation: String) {
    for axis in axes ?? Array(0..<shape.rank) {
      let axis = shape.normalizedAxis(axis, operation)
      if contains(axis) { stop(operation, "axis \(axis) is listed twice") }
      insert(axis)
    }
  }

  func contains(_ axis: Int) -> Bool { flags >> axis & 1 == 1 }
  mutating func insert(_ axis: Int) { flags |= 1 << axis }

  /// A shape with these axes at size 1.
  func collapsed(_ shape: Shape) -> Shape {
    var result = shape
    for axis in 0..<shape.rank where contains(axis) { result[axis] = 1 }
    return result
  }

  /// A shape without these axes.
  func removed(from shape: Shape) -> Shape {
    Shape((0..<shape.rank).filter { !contains($0) }.map { shape[$0] })
  }
}

/// Σ x over axes, which keep size 1.
package struct Sum: LinearPrimitive {
  let axes: AxisSet

  init(_ axes: AxisSet) { self.axes = axes }

  package var name: String { "sum" }
  package func evaluate(_ x: Tensor) -> Tensor { Kernels.reduce(TK_SUM, x, axes) }
  package func transposed(_ cotangent: Tensor, _ x: Tensor) -> Tensor {
    cotangent.broadcast(to: x.shape)
  }
}

/// The largest or smallest element over axes, which keep size 1; ties share the derivative equally.
package struct Extremum: UnaryPrimitive {
  let isMaximum: Bool
  let axes: AxisSet

  init(isMaximum: Bool, _ axes: AxisSet) {
    self.isMaximum = isMaximum
    self.axes = axes
  }

  package var name: String { isMaximum ? "max" : "min" }
  package var residuals: Residuals { [.inputs, .outputs] }

  package func evaluate(_ x: Tensor) -> Tensor {
    Kernels.reduce(isMaximum ? TK_MAX : TK_MIN, x, axes)
  }
  package func jvp(_ x: Tensor, _ y: Tensor, _ tangent: Tensor) -> Tensor? {
    apply(Sum(axes), tangent * weights(x, y))
  }
  package func vjp(_ x: Tensor, _ y: Tensor, _ cotangent: Tensor) -> Tensor? {
    cotangent * weights(x, y)
  }

  /// 1 / (number of ties) where x attains y, 0 elsewhere.
  private func weights(_ x: Tensor, _ y: Tensor) -> Tensor {
    let attained = (x .== y).cast(to: x.scalarType)
    return attained / apply(Sum(axes), attained)
  }
}

/// Running sums along one axis, from its end when reversed.
package struct CumulativeSum: LinearPrimitive {
  let axis: Int
  let isReversed: Bool

  package init(axis: Int, isReversed: Bool = false) {
    self.axis = axis
    self.isReversed = isReversed
  }

  package var name: String { "cumulativeSum" }
  package func evaluate(_ x: Tensor) -> Tensor {
    let (outer, inner) = x.shape.extents(around: axis)
    return Tensor(x.shape, x.scalarType) { out in
      let overflows = tk_cumulative_sum(
        x.scalarType.kernelType, outer, x.shape[axis], inner, isReversed ? 1 : 0, x.bytes, out)
      if overflows != 0 { Kernels.stopOverflow(name) }
    }
  }
  package func transposed(_ cotangent: Tensor, _ x: Tensor) -> Tensor {
    apply(CumulativeSum(axis: axis, isReversed: !isReversed), cotangent)
  }
}

extension Shape {
  /// The element counts of the axes before and after one axis.
  func extents(around axis: Int) -> (outer: Int, inner: Int) {
    (prefix(axis).reduce(1, *), suffix(from: axis + 1).reduce(1, *))
  }
}

extension Kernels {
  /// Elements to a block of a full reduction: fixed, so that results do not depend on threads.
  private static let block = 1 << 15

  /// Reduces over `axes`, which keep size 1 in the result.
  static func reduce(_ operation: tk_reduce_op, _ x: Tensor, _ axes: AxisSet) -> Tensor {
    let target = axes.collapsed(x.shape)
    if operation != TK_SUM, x.elementCount == 0, target.elementCount > 0 {
      stop(operation == TK_MAX ? "max" : "min", "no elements to compare in shape \(x.shape)")
    }
    // Neighbouring axes with the same fate are one dimension; reduce the groups from the last.
    var groups: [(size: Int, isReduced: Bool)] = []
    for axis in 0..<x.rank {
      let isReduced = axes.contains(axis)
      if groups.last?.isReduced == isReduced {
        groups[groups.count - 1].size *= x.shape[axis]
      } else {
        groups.append((x.shape[axis], isReduced))
      }
    }
    if operation == TK_SUM, x.scalarType == .int32 { return integerSum(x, groups, as: target) }
    var result = x.with(trace: nil)
    for index in groups.indices.reversed() where groups[index].isReduced {
      let outer = groups[..<index].reduce(1) { $0 * $1.size }
      let inner = groups[(index + 1)...].reduce(1) { $0 * $1.size }
      result = reduce(operation, result, outer: outer, groups[index].size, inner: inner)
      groups[index].size = 1
    }
    return result.viewed(as: target)
  }

  /// Exact: summed in 64 bits, so that only the result has to fit.
  private static func integerSum(
    _ x: Tensor, _ groups: [(size: Int, isReduced: Bool)], as target: Shape
  ) -> Tensor {
    var dims = Extents(repeating: 1)
    var strides = Extents(repeating: 0)
    var count = 1
    for (index, group) in groups.enumerated().reversed() {
      dims[index] = group.size
      guard !group.isReduced else { continue }
      strides[index] = count
      count *= group.size
    }
    var sums = [Int64](repeating: 0, count: count)
    withExtentsPointer(dims) { dims in
      withExtentsPointer(strides) { strides in
        tk_sum_int32(
          Int32(groups.count), dims, x.bytes.assumingMemoryBound(to: Int32.self), &sums, strides)
      }
    }
    return Tensor(target, .int32) { out in
      let out = out.assumingMemoryBound(to: Int32.self)
      for (index, sum) in sums.enumerated() {
        guard let narrow = Int32(exactly: sum) else { stopOverflow("sum") }
        out[index] = narrow
      }
    }
  }

  private static func reduce(
    _ operation: tk_reduce_op, _ x: Tensor, outer: Int, _ n: Int, inner: Int
  ) -> Tensor {
    let type = x.scalarType
    if outer == 1, inner == 1, n > 2 * block {
      // One long row: block results first, then their reduction.
      let blockCount = n / block
      let head = x.bytes
      let partial = Tensor([blockCount + (n % block > 0 ? 1 : 0)], type) { out in
        parallelFor(count: blockCount, grain: 1) { range in
          tk_reduce(
            type.kernelType, operation, range.count, block, 1,
            head + range.lowerBound * block * type.byteCount,
            out + range.lowerBound * type.byteCount)
        }
        if n % block > 0 {
          tk_reduce(
            type.kernelType, operation, 1, n % block, 1,
            head + blockCount * block * type.byteCount, out + blockCount * type.byteCount)
        }
      }
      return reduce(operation, partial, outer: 1, partial.elementCount, inner: 1)
    }
    let row = n * inner
    let bytes = x.bytes
    return Tensor([outer, inner], type) { out in
      parallelFor(count: outer, grain: max(1, grain / max(1, row))) { range in
        tk_reduce(
          type.kernelType, operation, range.count, n, inner,
          bytes + range.lowerBound * row * type.byteCount,
          out + range.lowerBound * inner * type.byteCount)
      }
    }
  }
}
