/// The library's column-major routines on row-major matrices.
///
/// A row-major buffer read column by column is the transposed matrix. So products exchange their
/// operands, triangles and sides flip, and nothing is copied; only LU and the eigenvectors, whose
/// result is not symmetric in that way, are transposed in place. Sizes have been checked to fit.
extension BLASRoutines {
  private static func flag(_ letter: Unicode.Scalar) -> CChar {
    CChar(truncatingIfNeeded: letter.value)
  }

  /// C = alpha · op(A) · op(B) + beta · C, none of the sizes zero.
  func multiply<Scalar: KernelScalar>(
    _ alpha: Double, _ a: Matrix<Scalar>, transposeA: Bool,
    _ b: Matrix<Scalar>, transposeB: Bool, plus beta: Double, _ c: Matrix<Scalar>
  ) {
    if let gemv, let product = MatrixVectorProduct(a, transposeA, b, transposeB, c) {
      return multiply(alpha, product, plus: beta, gemv)
    }
    var flagA = Self.flag(transposeA ? "T" : "N")
    var flagB = Self.flag(transposeB ? "T" : "N")
    var m = Int32(c.rows)
    var n = Int32(c.columns)
    var k = Int32(transposeA ? a.rows : a.columns)
    var lda = Int32(max(1, a.stride))
    var ldb = Int32(max(1, b.stride))
    var ldc = Int32(max(1, c.stride))
    var alpha = Scalar(alpha)
    var beta = Scalar(beta)
    gemm(
      &flagB, &flagA, &n, &m, &k, &alpha, b.base, &ldb, a.base, &lda, &beta, c.base, &ldc, 1, 1)
  }

  /// y = alpha · op(A) · x + beta · y.
  private func multiply<Scalar: KernelScalar>(
    _ alpha: Double, _ product: MatrixVectorProduct<Scalar>, plus beta: Double, _ gemv: GEMV
  ) {
    let a = product.matrix
    var flag = Self.flag(product.transposed ? "N" : "T")
    var m = Int32(a.columns)
    var n = Int32(a.rows)
    var lda = Int32(max(1, a.stride))
    var incx = Int32(max(1, product.strideX))
    var incy = Int32(max(1, product.strideY))
    var alpha = Scalar(alpha)
    var beta = Scalar(beta)
    let y = product.y
    if beta == 0 {
      // Some libraries multiply y by 0 instead of clearing it, which would keep a NaN.
      for i in 0..<product.count { y[i * product.strideY] = 0 }
    }
    gemv(&flag, &m, &n, &alpha, a.base, &lda, product.x, &incx, &beta, y, &incy, 1)
  }

  /// op(T) X = alpha · B is Xᵀ op(T)ᵀ = alpha · Bᵀ: the same solve from the right.
  func solveTriangular<Scalar: KernelScalar>(
    _ t: Matrix<Scalar>, lower: Bool, transposed: Bool, unitDiagonal: Bool, alpha: Scalar,
    _ b: Matrix<Scalar>, _ trsm: TRSM
  ) {
    var side = Self.flag("R")
    var triangle = Self.flag(lower ? "U" : "L")
    var transpose = Self.flag(transposed ? "T" : "N")
    var diagonal = Self.flag(unitDiagonal ? "U" : "N")
    var m = Int32(b.columns)
    var n = Int32(b.rows)
    var ldt = Int32(t.stride)
    var ldb = Int32(b.stride)
    var alpha = alpha
    trsm(
      &side, &triangle, &transpose, &diagonal, &m, &n, &alpha, t.base, &ldt, b.base, &ldb,
      1, 1, 1, 1)
  }

  /// A = L Lᵀ: the index of the failing pivot, or `nil`.
  func cholesky<Scalar: KernelScalar>(_ a: Matrix<Scalar>, _ potrf: POTRF) -> Int? {
    var triangle = Self.flag("U")
    var n = Int32(a.rows)
    var lda = Int32(a.stride)
    var info: Int32 = 0
    potrf(&triangle, &n, a.base, &lda, &info, 1)
    if info > 0 { return Int(info) - 1 }
    // Not every library notices a NaN among the pivots.
    if let failing = (0..<a.rows).first(where: { !(a[$0, $0] > 0 && a[$0, $0].isFinite) }) {
      return failing
    }
    a.clearUpperTriangle()
    return nil
  }

  /// P A = L U: the index of the first zero pivot, or `nil`.
  func lu<Scalar: KernelScalar>(
    _ a: Matrix<Scalar>, pivots: UnsafeMutablePointer<Int32>, _ getrf: GETRF
  ) -> Int? {
    var n = Int32(a.rows)
    var lda = Int32(a.stride)
    var info: Int32 = 0
    a.transposeInPlace()
    getrf(&n, &n, a.base, &lda, pivots, &info)
    a.transposeInPlace()
    for i in 0..<a.rows { pivots[i] -= 1 }
    return (0..<a.rows).first { a[$0, $0] == 0 }
  }

  /// A = V diag(values) Vᵀ: false when it fails.
  func symmetricEigen<Scalar: KernelScalar>(
    _ a: Matrix<Scalar>, values: UnsafeMutablePointer<Scalar>, _ syevd: SYEVD
  ) -> Bool {
    // LAPACK may loop or crash on NaN.
    for i in 0..<a.rows {
      for j in 0...i where !a[i, j].isFinite { return false }
    }
    var job = Self.flag("V")
    var triangle = Self.flag("U")
    var n = Int32(a.rows)
    var lda = Int32(a.stride)
    var info: Int32 = 0
    var workSize: Scalar = 0
    var integerWorkSize: Int32 = 0
    var query: Int32 = -1
    syevd(
      &job, &triangle, &n, a.base, &lda, values, &workSize, &query, &integerWorkSize, &query,
      &info, 1, 1)
    // The size comes back as a floating-point number, which float32 may have rounded down.
    let elements = Int(workSize.nextUp.rounded(.up))
    guard info == 0, var length = Int32(exactly: elements) else { return false }
    let work = UnsafeMutablePointer<Scalar>.allocate(capacity: elements)
    let integerWork = UnsafeMutablePointer<Int32>.allocate(capacity: Int(integerWorkSize))
    defer {
      work.deallocate()
      integerWork.deallocate()
    }
    syevd(
      &job, &triangle, &n, a.base, &lda, values, work, &length, integerWork, &integerWorkSize,
      &info, 1, 1)
    guard info == 0 else { return false }
    a.transposeInPlace()
    return true
  }
}
