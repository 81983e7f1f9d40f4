import CTensorKernels

/// A scalar type the matrix kernels exist for: `Float` and `Double`.
protocol KernelScalar: BinaryFloatingPoint, BitwiseCopyable, Sendable {
  static var kernelType: tk_type { get }
}

extension Float: KernelScalar {
  static var kernelType: tk_type { TK_FLOAT32 }
}

extension Double: KernelScalar {
  static var kernelType: tk_type { TK_FLOAT64 }
}

/// A rectangular window on row-major storage it does not own; `stride` elements from row to row.
struct Matrix<Scalar: KernelScalar> {
  var base: UnsafeMutablePointer<Scalar>
  var rows: Int
  var columns: Int
  var stride: Int

  init(_ base: UnsafeMutablePointer<Scalar>, rows: Int, columns: Int, stride: Int) {
    self.base = base
    self.rows = rows
    self.columns = columns
    self.stride = stride
  }

  init(_ base: UnsafeMutableRawPointer, rows: Int, columns: Int, stride: Int) {
    let base = base.assumingMemoryBound(to: Scalar.self)
    self.init(base, rows: rows, columns: columns, stride: stride)
  }

  /// For operands that are only read.
  init(_ base: UnsafeRawPointer, rows: Int, columns: Int, stride: Int) {
    self.init(UnsafeMutableRawPointer(mutating: base), rows: rows, columns: columns, stride: stride)
  }

  @inline(__always)
  subscript(row: Int, column: Int) -> Scalar {
    get { base[row * stride + column] }
    nonmutating set { base[row * stride + column] = newValue }
  }

  @inline(__always)
  func row(_ index: Int) -> UnsafeMutablePointer<Scalar> { base + index * stride }

  func block(_ rows: Range<Int>, _ columns: Range<Int>) -> Matrix {
    Matrix(
      base + rows.lowerBound * stride + columns.lowerBound,
      rows: rows.count, columns: columns.count, stride: stride)
  }

  /// Sets the elements above the diagonal to zero.
  func clearUpperTriangle() {
    for i in 0..<rows where i + 1 < columns {
      (row(i) + i + 1).update(repeating: 0, count: columns - i - 1)
    }
  }

  /// Replaces a square matrix by its transpose, in tiles about a cache line wide.
  func transposeInPlace() {
    let tile = 8
    for top in Swift.stride(from: 0, to: rows, by: tile) {
      for left in Swift.stride(from: top, to: rows, by: tile) {
        for i in top..<min(top + tile, rows) {
          for j in max(left, i + 1)..<max(min(left + tile, rows), max(left, i + 1)) {
            let value = self[i, j]
            self[i, j] = self[j, i]
            self[j, i] = value
          }
        }
      }
    }
  }

  /// Exchanges row i with row `pivots[i]`, for i upwards, or downwards to undo that.
  func swapRows(_ pivots: UnsafePointer<Int32>, count: Int, reversed: Bool = false) {
    for step in 0..<count {
      let i = reversed ? count - 1 - step : step
      let p = Int(pivots[i])
      if p == i { continue }
      let first = row(i)
      let second = row(p)
      for j in 0..<columns {
        let value = first[j]
        first[j] = second[j]
        second[j] = value
      }
    }
  }
}

/// y = op(A) x, what a matrix product with one row or one column amounts to.
struct MatrixVectorProduct<Scalar: KernelScalar> {
  var matrix: Matrix<Scalar>
  var transposed: Bool
  var x: UnsafeMutablePointer<Scalar>
  var strideX: Int
  var y: UnsafeMutablePointer<Scalar>
  var strideY: Int

  /// The number of elements of y.
  var count: Int { transposed ? matrix.columns : matrix.rows }

  /// C = op(A) op(B), or `nil` when C is neither a row nor a column.
  init?(
    _ a: Matrix<Scalar>, _ transposeA: Bool, _ b: Matrix<Scalar>, _ transposeB: Bool,
    _ c: Matrix<Scalar>
  ) {
    y = c.base
    if c.columns == 1 {
      matrix = a
      transposed = transposeA
      x = b.base
      strideX = transposeB ? 1 : b.stride
      strideY = c.stride
    } else if c.rows == 1 {
      // Cᵀ = op(B)ᵀ op(A)ᵀ.
      matrix = b
      transposed = !transposeB
      x = a.base
      strideX = transposeA ? a.stride : 1
      strideY = 1
    } else {
      return nil
    }
  }
}
