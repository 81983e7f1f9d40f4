import CTensorKernels

/// Matrix product and triangular solves without a library.
///
/// All factorisations here are recursive: they halve the matrix until a block is `leafSize` wide
/// and do the rest of the work as matrix products, which are fast. Row-major, in place, and the same
/// bits on any number of threads.
enum BuiltInLinearAlgebra<Scalar: KernelScalar> {
  typealias Block = Matrix<Scalar>

  /// Blocks up to this size are handled by plain loops.
  static var leafSize: Int { 16 }

  /// Where to halve a block of `n > leafSize`: a multiple of the leaf size, to keep leaves full.
  static func half(_ n: Int) -> Int { (n / 2 + leafSize - 1) / leafSize * leafSize }

  /// C = alpha · op(A) · op(B) + beta · C with op(A) of m × k; rows of C are shared among threads.
  static func multiply(
    _ alpha: Double, _ a: Block, transposeA: Bool = false,
    _ b: Block, transposeB: Bool = false, plus beta: Double, _ c: Block
  ) {
    let k = transposeA ? a.rows : a.columns
    if let product = MatrixVectorProduct(a, transposeA, b, transposeB, c) {
      return multiply(alpha, product, plus: beta)
    }
    let grain = rowsPerChunk(of: c, k: k)
    parallelFor(count: c.rows, grain: grain) { rows in
      let firstRow = rows.lowerBound * (transposeA ? 1 : a.stride)
      tk_gemm(
        Scalar.kernelType, transposeA ? 1 : 0, transposeB ? 1 : 0, rows.count, c.columns, k,
        alpha, a.base + firstRow, max(1, a.stride), b.base, max(1, b.stride),
        beta, c.row(rows.lowerBound), max(1, c.stride))
    }
  }

  /// All rows for a small product; else a few large chunks, since each one packs all of B again.
  private static func rowsPerChunk(of c: Block, k: Int) -> Int {
    let multiplications = c.rows.multipliedReportingOverflow(by: c.columns).partialValue &* k
    if multiplications < 500_000 { return max(1, c.rows) }
    return max(32, (c.rows / 8 + 15) / 16 * 16)
  }

  /// Solves op(T) X = B in place of B, T triangular, by forward or backward substitution.
  ///
  /// Only the stated triangle of T is read, without its diagonal when `unitDiagonal`. Divides by
  /// the diagonal without looking.
  static func solveTriangular(
    _ t: Block, lower: Bool, transposed: Bool, unitDiagonal: Bool, _ b: Block
  ) {
    let n = t.rows
    if n <= leafSize {
      return solveSmallTriangular(
        t, lower: lower, transposed: transposed, unitDiagonal: unitDiagonal, b)
    }
    let first = 0..<half(n)
    let second = half(n)..<n
    // The off-diagonal block that is stored, and whether op(T) uses it transposed.
    let coupling = lower ? t.block(second, first) : t.block(first, second)
    let forward = lower != transposed
    let solvedFirst = forward ? first : second
    let solvedLast = forward ? second : first
    let x = b.block(solvedFirst, 0..<b.columns)
    let rest = b.block(solvedLast, 0..<b.columns)
    solveTriangular(
      t.block(solvedFirst, solvedFirst), lower: lower, transposed: transposed,
      unitDiagonal: unitDiagonal, x)
    multiply(-1, coupling, transposeA: transposed, x, plus: 1, rest)
    solveTriangular(
      t.block(solvedLast, solvedLast), lower: lower, transposed: transposed,
      unitDiagonal: unitDiagonal, rest)
  }

  private static func solveSmallTriangular(
    _ t: Block, lower: Bool, transposed: Bool, unitDiagonal: Bool, _ b: Block
  ) {
    let n = t.rows
    let forward = lower != transposed
    for step in 0..<n {
      let i = forward ? step : n - 1 - step
      let target = b.row(i)
      for p in forward ? 0..<i : (i + 1)..<n {
        let factor = transposed ? t[p, i] : t[i, p]
        let source = b.row(p)
        for j in 0..<b.columns { target[j] -= factor * source[j] }
      }
      if unitDiagonal { continue }
      let pivot = t[i, i]
      for j in 0..<b.columns { target[j] /= pivot }
    }
  }

  /// Solves X Lᵀ = B in place of B, L lower triangular.
  static func solveFromRight(transposedLower l: Block, _ b: Block) {
    let n = l.rows
    if n > leafSize {
      let first = 0..<half(n)
      let second = half(n)..<n
      let x = b.block(0..<b.rows, first)
      let rest = b.block(0..<b.rows, second)
      solveFromRight(transposedLower: l.block(first, first), x)
      multiply(-1, x, l.block(second, first), transposeB: true, plus: 1, rest)
      solveFromRight(transposedLower: l.block(second, second), rest)
      return
    }
    for i in 0..<b.rows {
      let x = b.row(i)
      for j in 0..<n {
        let coefficients = l.row(j)
        var value = x[j]
        for p in 0..<j { value -= x[p] * coefficients[p] }
        x[j] = value / coefficients[j]
      }
    }
  }
}
