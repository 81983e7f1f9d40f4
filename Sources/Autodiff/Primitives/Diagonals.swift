import CTensorKernels

/// The diagonal of the last two axes.
package struct Diagonal: LinearPrimitive {
  package init() {}
  package var name: String { "diagonal" }

  package func evaluate(_ x: Tensor) -> Tensor {
    let n = Swift.min(x.shape[x.rank - 2], x.shape[x.rank - 1])
    let batch = x.batchShape
    var strides = x.shape.strides
    strides[batch.rank] = x.shape[x.rank - 1] + 1
    return Kernels.copy(x, strides, as: Shape(Array(batch) + [n]))
  }
  package func transposed(_ cotangent: Tensor, _ x: Tensor) -> Tensor {
    apply(EmbedDiagonal(rows: x.shape[x.rank - 2], columns: x.shape[x.rank - 1]), cotangent)
  }
}

/// Zeros with the last axis of a tensor on the diagonal of two new last axes.
package struct EmbedDiagonal: LinearPrimitive {
  let rows: Int
  let columns: Int

  package init(rows: Int, columns: Int) {
    self.rows = rows
    self.columns = columns
  }

  package var name: String { "embeddedDiagonal" }
  package func evaluate(_ x: Tensor) -> Tensor {
    let shape = Shape(x.shape.dropLast() + [rows, columns])
    var strides = shape.strides
    strides[x.rank - 1] = columns + 1
    return Tensor(shape, x.scalarType) { out in
      tk_fill(x.scalarType.kernelType, 0, out, shape.elementCount)
      Kernels.place(x, strides, at: out)
    }
  }
  package func transposed(_ cotangent: Tensor, _ x: Tensor) -> Tensor {
    apply(Diagonal(), cotangent)
  }
}

extension Tensor {
  /// The diagonal of a matrix, or of the last two axes.
  public func diagonal() -> Tensor {
    guard rank >= 2 else { stop("diagonal", "expected at least 2 axes, found shape \(shape)") }
    return apply(Diagonal(), self)
  }

  /// Square matrices with the last axis on their diagonal.
  public func embeddedDiagonal() -> Tensor {
    guard rank >= 1 else { stop("embeddedDiagonal", "expected at least 1 axis, found a scalar") }
    return apply(EmbedDiagonal(rows: shape[rank - 1], columns: shape[rank - 1]), self)
  }

  /// The sum of the diagonal of the last two axes.
  public func trace() -> Tensor { diagonal().sum(alongAxis: -1) }

  /// The matrix with zeros above its diagonal; with `strictly`, on the diagonal too.
  public func lowerTriangle(strictly: Bool = false) -> Tensor {
    zeroed(where: strictly ? columnIndices .>= rowIndices : columnIndices .> rowIndices)
  }

  /// The matrix with zeros below its diagonal; with `strictly`, on the diagonal too.
  public func upperTriangle(strictly: Bool = false) -> Tensor {
    zeroed(where: strictly ? columnIndices .<= rowIndices : columnIndices .< rowIndices)
  }

  private var rowIndices: Tensor {
    guard rank >= 2 else { stop("triangle", "expected at least 2 axes, found shape \(shape)") }
    return Tensor.range(shape[rank - 2], .int32).expandingShape(at: 1)
  }

  private var columnIndices: Tensor { Tensor.range(shape[rank - 1], .int32).expandingShape(at: 0) }
}
