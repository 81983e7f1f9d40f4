import CTensorKernels

/// Matrix times vector without a library, as dot products or scaled sums of the rows.
extension BuiltInLinearAlgebra {
  /// Multiplications worth one chunk: several tens of microseconds.
  private static var workPerChunk: Int { 100_000 }

  /// y = alpha · op(A) · x + beta · y; y is written without being read when beta is 0.
  static func multiply(
    _ alpha: Double, _ product: MatrixVectorProduct<Scalar>, plus beta: Double
  ) {
    let a = product.matrix
    let inner = product.transposed ? a.rows : a.columns
    withContiguous(product.x, count: inner, stride: product.strideX) { x in
      withUnsafeTemporaryAllocation(of: Scalar.self, capacity: product.count) { sums in
        guard let sums = sums.baseAddress else { return }
        if product.transposed {
          sums.initialize(repeating: 0, count: product.count)
          sumRows(of: a, times: x, into: sums)
        } else {
          let grain = max(16, workPerChunk / max(1, inner))
          parallelFor(count: product.count, grain: grain) { rows in
            for i in rows { sums[i] = Scalar(tk_dot(Scalar.kernelType, a.row(i), x, inner)) }
          }
        }
        let alpha = Scalar(alpha)
        let beta = Scalar(beta)
        let y = product.y
        for i in 0..<product.count {
          let value = alpha * sums[i]
          y[i * product.strideY] = beta == 0 ? value : value + beta * y[i * product.strideY]
        }
      }
    }
  }

  /// sum += Σᵢ x[i] · row i of A, threads sharing the columns.
  private static func sumRows(
    of a: Block, times x: UnsafePointer<Scalar>, into sum: UnsafeMutablePointer<Scalar>
  ) {
    let grain = max(256, workPerChunk / max(1, a.rows))
    parallelFor(count: a.columns, grain: grain) { columns in
      let first = columns.lowerBound
      for i in 0..<a.rows {
        tk_axpy(
          Scalar.kernelType, Double(x[i]), a.row(i) + first, sum + first, columns.count)
      }
    }
  }

  /// Passes x on, or a copy without gaps.
  private static func withContiguous(
    _ x: UnsafePointer<Scalar>, count: Int, stride: Int, _ body: (UnsafePointer<Scalar>) -> Void
  ) {
    if stride == 1 || count <= 1 { return body(x) }
    withUnsafeTemporaryAllocation(of: Scalar.self, capacity: count) { copy in
      for i in 0..<count { copy[i] = x[i * stride] }
      if let base = copy.baseAddress { body(base) }
    }
  }
}
