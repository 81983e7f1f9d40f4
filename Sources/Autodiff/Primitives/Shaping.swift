import CTensorKernels

/// The same elements under another shape.
package struct Reshape: LinearPrimitive {
  let shape: Shape
  package init(_ shape: Shape) { self.shape = shape }

  package var name: String { "reshaped" }
  package func evaluate(_ x: Tensor) -> Tensor { x.viewed(as: shape) }
  package func transposed(_ cotangent: Tensor, _ x: Tensor) -> Tensor {
    cotangent.reshaped(to: x.shape)
  }
}

/// Repetition along new axes and axes of size 1.
package struct Broadcast: LinearPrimitive {
  let shape: Shape
  package init(to shape: Shape) { self.shape = shape }

  package var name: String { "broadcast" }
  package func evaluate(_ x: Tensor) -> Tensor {
    var strides = Extents(repeating: 0)
    let dense = x.shape.strides
    let shift = shape.rank - x.rank
    for axis in 0..<x.rank where x.shape[axis] != 1 { strides[axis + shift] = dense[axis] }
    return Kernels.copy(x, strides, as: shape)
  }
  package func transposed(_ cotangent: Tensor, _ x: Tensor) -> Tensor {
    cotangent.summed(to: x.shape)
  }
}

/// Axes in another order: axis i of the result is axis `order[i]` of the input.
package struct Permute: LinearPrimitive {
  let order: [Int]
  package init(_ order: [Int]) { self.order = order }

  package var name: String { "permuted" }
  package func evaluate(_ x: Tensor) -> Tensor {
    let dense = x.shape.strides
    var strides = Extents(repeating: 0)
    for (axis, source) in order.enumerated() { strides[axis] = dense[source] }
    return Kernels.copy(x, strides, as: Shape(order.map { x.shape[$0] }))
  }
  package func transposed(_ cotangent: Tensor, _ x: Tensor) -> Tensor {
    var inverse = order
    for (axis, source) in order.enumerated() { inverse[source] = axis }
    return apply(Permute(inverse), cotangent)
  }
}

/// A regular grid inside a tensor: `starts[a] + i · steps[a]` for i in `0..<shape[a]`.
struct Grid: Sendable {
  var starts: Extents
  var steps: Extents
  var shape: Shape

  /// Offset of the first element and strides of the grid in a dense tensor.
  func layout(in shape: Shape) -> (offset: Int, strides: Extents) {
    let dense = shape.strides
    var offset = 0
    for axis in 0..<shape.rank { offset += starts[axis] * dense[axis] }
    return (offset, dense &* steps)
  }
}

/// The elements on a grid.
package struct Slice: LinearPrimitive {
  let grid: Grid
  init(_ grid: Grid) { self.grid = grid }

  package var name: String { "slice" }
  package func evaluate(_ x: Tensor) -> Tensor {
    let (offset, strides) = grid.layout(in: x.shape)
    return Kernels.copy(x, strides, as: grid.shape, offset: offset)
  }
  package func transposed(_ cotangent: Tensor, _ x: Tensor) -> Tensor {
    apply(Embed(grid, in: x.shape), cotangent)
  }
}

/// Zeros with a tensor placed on a grid: the transpose of `Slice`.
package struct Embed: LinearPrimitive {
  let grid: Grid
  let shape: Shape

  init(_ grid: Grid, in shape: Shape) {
    self.grid = grid
    self.shape = shape
  }

  package var name: String { "padded" }
  package func evaluate(_ x: Tensor) -> Tensor {
    let (offset, strides) = grid.layout(in: shape)
    return Tensor(shape, x.scalarType) { out in
      tk_fill(x.scalarType.kernelType, 0, out, shape.elementCount)
      Kernels.place(x, strides, at: out + offset * x.scalarType.byteCount)
    }
  }
  package func transposed(_ cotangent: Tensor, _ x: Tensor) -> Tensor {
    apply(Slice(grid), cotangent)
  }
}

/// Tensors one after the other along an axis.
package struct Concatenate: Primitive {
  let axis: Int
  package init(axis: Int) { self.axis = axis }

  package var name: String { "concatenated" }
  package var residuals: Residuals { [] }

  package func evaluate(_ inputs: [Tensor]) -> [Tensor] {
    var shape = inputs[0].shape
    shape[axis] = inputs.reduce(0) { $0 + $1.shape[axis] }
    let type = inputs[0].scalarType
    let strides = shape.strides
    let result = Tensor(shape, type) { out in
      var position = 0
      for input in inputs {
        Kernels.place(input, strides, at: out + position * strides[axis] * type.byteCount)
        position += input.shape[axis]
      }
    }
    return [result]
  }

  package func jvp(_ point: Point, _ tangents: [Tensor?]) -> [Tensor?] {
    apply(self, zip(tangents, point.inputs).map { $0 ?? Tensor.zeros(like: $1) })
  }

  package func vjp(_ point: Point, _ cotangents: [Tensor?]) -> [Tensor?] {
    var position = 0
    return point.inputs.enumerated().map { index, input in
      defer { position += input.shape[axis] }
      guard point.isActive(index) else { return nil }
      return cotangents[0]?.slice(position..<position + input.shape[axis], alongAxis: axis)
    }
  }
}

extension Shape {
  var extents: Extents {
    var result = Extents(repeating: 1)
    for axis in 0..<rank { result[axis] = self[axis] }
    return result
  }
}

extension Kernels {
  /// A dense tensor of the elements that strides pick out of `x`.
  static func copy(_ x: Tensor, _ strides: Extents, as shape: Shape, offset: Int = 0) -> Tensor {
    let type = x.scalarType
    return Tensor(shape, type) { out in
      guard shape.elementCount > 0 else { return }
      let source = UnsafeRawPointer(x.bytes) + offset * type.byteCount
      withExtentsPointer(shape.extents) { dims in
        withExtentsPointer(strides) { strides in
          withExtentsPointer(shape.strides) { dense in
            tk_copy(type.kernelType, Int32(shape.rank), dims, source, strides, out, dense)
          }
        }
      }
    }
  }

  /// Writes the elements of `x` to memory where strides put them.
  static func place(_ x: Tensor, _ strides: Extents, at target: UnsafeMutableRawPointer) {
    guard x.elementCount > 0 else { return }
    withExtentsPointer(x.shape.extents) { dims in
      withExtentsPointer(x.shape.strides) { source in
        withExtentsPointer(strides) { strides in
          tk_copy(x.scalarType.kernelType, Int32(x.rank), dims, x.bytes, source, target, strides)
        }
      }
    }
  }
}
