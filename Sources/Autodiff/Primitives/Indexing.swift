import CTensorKernels

/// Slices of an axis picked by index; indices may repeat.
package struct Gather: LinearPrimitive {
  let axis: Int
  let indices: Tensor

  package init(axis: Int, indices: Tensor) {
    self.axis = axis
    self.indices = indices
  }

  package var name: String { "gathering" }
  package func evaluate(_ x: Tensor) -> Tensor {
    let (outer, inner) = x.shape.extents(around: axis)
    var shape = x.shape
    shape[axis] = indices.elementCount
    return Tensor(shape, x.scalarType) { out in
      tk_gather(
        x.scalarType.kernelType, outer, x.shape[axis], inner, indices.elementCount,
        indices.bytes.assumingMemoryBound(to: Int32.self), x.bytes, out)
    }
  }
  package func transposed(_ cotangent: Tensor, _ x: Tensor) -> Tensor {
    apply(ScatterAdd(axis: axis, length: x.shape[axis], indices: indices), cotangent)
  }
}

/// Slices added into zeros at the given indices of an axis: the transpose of `Gather`.
package struct ScatterAdd: LinearPrimitive {
  let axis: Int
  let length: Int
  let indices: Tensor

  package init(axis: Int, length: Int, indices: Tensor) {
    self.axis = axis
    self.length = length
    self.indices = indices
  }

  package var name: String { "scatterAdding" }
  package func evaluate(_ x: Tensor) -> Tensor {
    let (outer, inner) = x.shape.extents(around: axis)
    var shape = x.shape
    shape[axis] = length
    return Tensor(shape, x.scalarType) { out in
      tk_fill(x.scalarType.kernelType, 0, out, shape.elementCount)
      let overflows = tk_scatter_add(
        x.scalarType.kernelType, outer, length, inner, indices.elementCount,
        indices.bytes.assumingMemoryBound(to: Int32.self), x.bytes, out)
      if overflows != 0 { Kernels.stopOverflow(name) }
    }
  }
  package func transposed(_ cotangent: Tensor, _ x: Tensor) -> Tensor {
    apply(Gather(axis: axis, indices: indices), cotangent)
  }
}

extension Tensor {
  /// Slices of an axis in the order of `indices`, which may repeat: `x[indices]` of NumPy.
  ///
  /// - Precondition: `indices` is `int32` with one axis and values inside the axis.
  public func gathering(_ indices: Tensor, alongAxis axis: Int) -> Tensor {
    let axis = shape.normalizedAxis(axis, "gathering")
    indices.requireIndices(below: shape[axis], "gathering")
    return apply(Gather(axis: axis, indices: indices), self)
  }

  /// Zeros with the slices of this tensor added at `indices` of an axis of size `length`; slices
  /// with the same index add up, in order.
  ///
  /// - Precondition: `indices` is `int32` with one axis, as long as this tensor's, and values in
  ///   `0..<length`; the sums of an `int32` tensor fit `int32`.
  public func scatterAdding(to indices: Tensor, length: Int, alongAxis axis: Int) -> Tensor {
    if scalarType == .bool { stop("scatterAdding", "not defined for bool") }
    let axis = shape.normalizedAxis(axis, "scatterAdding")
    indices.requireIndices(below: length, "scatterAdding")
    guard indices.elementCount == shape[axis] else {
      stop(
        "scatterAdding",
        "\(indices.elementCount) indices for axis \(axis) of shape \(shape)")
    }
    return apply(ScatterAdd(axis: axis, length: length, indices: indices), self)
  }

  private func requireIndices(below bound: Int, _ operation: String) {
    guard rank == 1 else {
      stop(operation, "indices must have one axis, found shape \(shape); use flattened()")
    }
    requireElements(below: bound, operation)
  }

  /// Stops unless this is an `int32` tensor of indices in `0..<bound`.
  func requireElements(below bound: Int, _ operation: String) {
    Kernels.requireType(self, .int32, operation)
    let indices = UnsafeBufferPointer(
      start: bytes.assumingMemoryBound(to: Int32.self), count: elementCount)
    for (position, index) in indices.enumerated() where index < 0 || Int(index) >= bound {
      stop(operation, "index \(index) at position \(position) is not in 0..<\(bound)")
    }
  }
}
