/// Cholesky and LU factorisation without a library.
extension BuiltInLinearAlgebra {
  /// Overwrites the lower triangle of A with L, where A = L Lᵀ, and the rest with zeros.
  ///
  /// Reads the lower triangle only. Returns the index of the first pivot that is not a positive
  /// finite number, in which case A is left half done.
  static func cholesky(_ a: Block) -> Int? {
    if let failing = choleskyLowerTriangle(a) { return failing }
    a.clearUpperTriangle()
    return nil
  }

  private static func choleskyLowerTriangle(_ a: Block) -> Int? {
    let n = a.rows
    if n <= leafSize { return choleskySmall(a) }
    let first = 0..<half(n)
    let second = half(n)..<n
    if let failing = choleskyLowerTriangle(a.block(first, first)) { return failing }
    let l21 = a.block(second, first)
    let a22 = a.block(second, second)
    solveFromRight(transposedLower: a.block(first, first), l21)
    subtractSquare(of: l21, fromLowerTriangleOf: a22)
    return choleskyLowerTriangle(a22).map { $0 + first.count }
  }

  private static func choleskySmall(_ a: Block) -> Int? {
    for j in 0..<a.rows {
      let rowJ = a.row(j)
      var pivot = rowJ[j]
      for p in 0..<j { pivot -= rowJ[p] * rowJ[p] }
      guard pivot > 0, pivot.isFinite else { return j }
      let diagonal = pivot.squareRoot()
      rowJ[j] = diagonal
      for i in (j + 1)..<max(a.rows, j + 1) {
        let rowI = a.row(i)
        var value = rowI[j]
        for p in 0..<j { value -= rowI[p] * rowJ[p] }
        rowI[j] = value / diagonal
      }
    }
    return nil
  }

  /// C -= A Aᵀ in the lower triangle; some elements above the diagonal change as well.
  private static func subtractSquare(of a: Block, fromLowerTriangleOf c: Block) {
    let n = c.rows
    if n <= 4 * leafSize {
      return multiply(-1, a, a, transposeB: true, plus: 1, c)
    }
    let first = 0..<half(n)
    let second = half(n)..<n
    let top = a.block(first, 0..<a.columns)
    let bottom = a.block(second, 0..<a.columns)
    subtractSquare(of: top, fromLowerTriangleOf: c.block(first, first))
    multiply(-1, bottom, top, transposeB: true, plus: 1, c.block(second, first))
    subtractSquare(of: bottom, fromLowerTriangleOf: c.block(second, second))
  }

  /// Overwrites A (m × n, m ≥ n) with L below and U on and above the diagonal, P A = L U.
  ///
  /// L has a unit diagonal. Row i was exchanged with row `pivots[i]` ≥ i, in the order of i, with
  /// n pivots. Returns the index of the first pivot that is exactly zero; the factorisation is
  /// complete even then.
  static func lu(_ a: Block, pivots: UnsafeMutablePointer<Int32>) -> Int? {
    let n = a.columns
    // Narrower leaves than elsewhere: a leaf is as tall as the matrix, and its loops are slow.
    if n <= leafSize / 2 { return luNarrow(a, pivots: pivots) }
    let h = n / 2
    let all = 0..<a.rows
    let left = a.block(all, 0..<h)
    let right = a.block(all, h..<n)
    let firstZero = lu(left, pivots: pivots)
    right.swapRows(pivots, count: h)
    let u12 = right.block(0..<h, 0..<(n - h))
    let a22 = right.block(h..<a.rows, 0..<(n - h))
    solveTriangular(
      left.block(0..<h, 0..<h), lower: true, transposed: false, unitDiagonal: true, u12)
    multiply(-1, left.block(h..<a.rows, 0..<h), u12, plus: 1, a22)
    let secondZero = lu(a22, pivots: pivots + h)
    left.block(h..<a.rows, 0..<h).swapRows(pivots + h, count: n - h)
    for i in h..<n { pivots[i] += Int32(h) }
    return firstZero ?? secondZero.map { $0 + h }
  }

  private static func luNarrow(_ a: Block, pivots: UnsafeMutablePointer<Int32>) -> Int? {
    let n = a.columns
    var zero: Int?
    for j in 0..<n {
      var best = j
      var largest = abs(a[j, j])
      for i in (j + 1)..<max(a.rows, j + 1) where abs(a[i, j]) > largest {
        best = i
        largest = abs(a[i, j])
      }
      pivots[j] = Int32(best)
      if best != j {
        for k in 0..<n {
          let value = a[j, k]
          a[j, k] = a[best, k]
          a[best, k] = value
        }
      }
      let pivotRow = a.row(j)
      if pivotRow[j] == 0 {
        zero = zero ?? j
        continue
      }
      for i in (j + 1)..<max(a.rows, j + 1) {
        let rowI = a.row(i)
        let factor = rowI[j] / pivotRow[j]
        rowI[j] = factor
        for k in (j + 1)..<max(n, j + 1) { rowI[k] -= factor * pivotRow[k] }
      }
    }
    return zero
  }
}
