import CTensorKernels

/// One element of each row along an axis, which keeps size 1: the element at the row's position.
package struct Pick: LinearPrimitive {
  let axis: Int
  /// `int32`, of the input's shape with size 1 along the axis.
  let positions: Tensor

  package init(axis: Int, positions: Tensor) {
    self.axis = axis
    self.positions = positions
  }

  package var name: String { "picking" }
  package func evaluate(_ x: Tensor) -> Tensor { Kernels.pick(positions, of: x, alongAxis: axis) }
  package func transposed(_ cotangent: Tensor, _ x: Tensor) -> Tensor {
    apply(Place(axis: axis, length: x.shape[axis], positions: positions), cotangent)
  }
}

/// Zeros with one element of each row along an axis set: the transpose of `Pick`.
package struct Place: LinearPrimitive {
  let axis: Int
  let length: Int
  let positions: Tensor

  package init(axis: Int, length: Int, positions: Tensor) {
    self.axis = axis
    self.length = length
    self.positions = positions
  }

  package var name: String { "placing" }
  package func evaluate(_ x: Tensor) -> Tensor {
    var shape = x.shape
    shape[axis] = length
    let result = Tensor.zeros(shape, x.scalarType)
    Kernels.place(x, at: positions, in: result, alongAxis: axis)
    return result
  }
  package func transposed(_ cotangent: Tensor, _ x: Tensor) -> Tensor {
    apply(Pick(axis: axis, positions: positions), cotangent)
  }
}

extension Tensor {
  /// The element of each row along an axis at the row's position; the axis keeps size 1.
  ///
  /// - Precondition: `positions` is `int32`, of this shape with size 1 along the axis, and inside
  ///   the axis.
  package func picking(_ positions: Tensor, alongAxis axis: Int) -> Tensor {
    apply(Pick(axis: axis, positions: positions), self)
  }

  /// A mask of this shape, true at the position of each row along an axis.
  func mask(of positions: Tensor, alongAxis axis: Int) -> Tensor {
    let result = Tensor.zeros(shape, .bool)
    Kernels.place(Tensor.ones(positions.shape, .bool), at: positions, in: result, alongAxis: axis)
    return result
  }
}

extension Kernels {
  /// The position of the first largest (or smallest) element of each row along an axis, which keeps
  /// size 1.
  static func positions(_ operation: tk_reduce_op, of x: Tensor, alongAxis axis: Int) -> Tensor {
    let (outer, inner) = x.shape.extents(around: axis)
    let row = x.shape[axis] * inner
    var shape = x.shape
    shape[axis] = 1
    let bytes = x.bytes
    return Tensor(shape, .int32) { out in
      let out = out.assumingMemoryBound(to: Int32.self)
      parallelFor(count: outer, grain: max(1, grain / max(1, row))) { range in
        tk_arg_reduce(
          x.scalarType.kernelType, operation, range.count, x.shape[axis], inner,
          bytes + range.lowerBound * row * x.scalarType.byteCount, out + range.lowerBound * inner)
      }
    }
  }

  /// The element of each row at its position; `x` may be traced, the result is not.
  static func pick(_ positions: Tensor, of x: Tensor, alongAxis axis: Int) -> Tensor {
    let (outer, inner) = x.shape.extents(around: axis)
    return Tensor(positions.shape, x.scalarType) { out in
      tk_pick(
        x.scalarType.kernelType, outer, x.shape[axis], inner,
        positions.bytes.assumingMemoryBound(to: Int32.self), x.bytes, out)
    }
  }

  /// Sets the element of each row at its position, in a tensor that has not been published yet.
  static func place(
    _ x: Tensor, at positions: Tensor, in target: Tensor, alongAxis axis: Int
  ) {
    let (outer, inner) = target.shape.extents(around: axis)
    tk_place(
      x.scalarType.kernelType, outer, target.shape[axis], inner,
      positions.bytes.assumingMemoryBound(to: Int32.self), x.bytes, target.bytes)
  }
}
