import CTensorKernels

/// Singular values by Jacobi's rotations of the rows of a triangle.
///
/// A is reduced to P A = L Q by reflectors, the row of the largest rest first; rotations of pairs of
/// columns of L make them orthogonal, and their lengths are the singular values. What AᵀA would square
/// is never formed: even the smallest value has an error near ulp ‖A‖, and a much smaller one where A
/// only needs its rows scaled. Drmač and Veselić, New fast and accurate Jacobi SVD algorithm (2008).
extension BuiltInLinearAlgebra {
  /// The singular values of A, the largest first: false where an element is not finite, or the rotations
  /// do not settle.
  static func singularValues(_ a: Block, values: UnsafeMutablePointer<Scalar>) -> Bool {
    let (count, length) = (min(a.rows, a.columns), max(a.rows, a.columns))
    guard count > 0 else { return true }
    var largest: Scalar = 0
    for i in 0..<a.rows {
      for j in 0..<a.columns {
        guard a[i, j].isFinite else { return false }
        largest = max(largest, abs(a[i, j]))
      }
    }
    // Squares of the scaled elements neither overflow nor vanish.
    let scale = largest == 0 ? 1 : max(largest.binade, Scalar.leastNormalMagnitude)
    let workspace = UnsafeMutablePointer<Scalar>.allocate(capacity: count * (length + count))
    defer { workspace.deallocate() }
    let rows = Block(workspace, rows: count, columns: length, stride: length)
    let columns = Block(workspace + count * length, rows: count, columns: count, stride: count)
    for i in 0..<count {
      for j in 0..<length { rows[i, j] = (a.rows <= a.columns ? a[i, j] : a[j, i]) / scale }
    }
    reduceToLowerTriangle(rows)
    for i in 0..<count {
      for j in 0..<count { columns[i, j] = i <= j ? rows[j, i] : 0 }
    }
    guard orthogonalizeRows(columns) else { return false }
    let sizes = (0..<count).map { i -> Scalar in
      let row = columns.row(i)
      return dot(row, row, count: count).squareRoot() * scale
    }
    for (index, size) in sizes.sorted(by: >).enumerated() { values[index] = size }
    return true
  }

  /// A ← L of P A = L Q; above the diagonal reflectors remain.
  private static func reduceToLowerTriangle(_ a: Block) {
    for i in 0..<a.rows {
      let rest = a.columns - i
      let sizes = (i..<a.rows).map { dot(a.row($0) + i, a.row($0) + i, count: rest) }
      let pivot = i + (sizes.indices.max { sizes[$0] < sizes[$1] } ?? 0)
      for j in 0..<a.columns where pivot != i {
        (a[i, j], a[pivot, j]) = (a[pivot, j], a[i, j])
      }
      let v = a.row(i) + i
      let (beta, tau) = makeReflector(v, count: rest)
      for r in i + 1..<max(a.rows, i + 1) {
        add(-tau * dot(a.row(r) + i, v, count: rest), v, to: a.row(r) + i, count: rest)
      }
      v[0] = beta
    }
  }

  /// Rotates pairs of rows until all are orthogonal to rounding.
  private static func orthogonalizeRows(_ a: Block) -> Bool {
    let tolerance = Scalar.ulpOfOne * Scalar(a.columns).squareRoot()
    for _ in 0..<60 {
      var isOrthogonal = true
      for p in 0..<a.rows {
        for q in p + 1..<max(a.rows, p + 1) {
          let (x, y) = (a.row(p), a.row(q))
          let xx = dot(x, x, count: a.columns)
          let yy = dot(y, y, count: a.columns)
          let xy = dot(x, y, count: a.columns)
          guard abs(xy) > tolerance * xx.squareRoot() * yy.squareRoot() else { continue }
          isOrthogonal = false
          let cotangent = (yy - xx) / (2 * xy)
          // The smaller root of t² + 2 t cot − 1, where the square may overflow.
          let root =
            abs(cotangent) < 1e8 ? (1 + cotangent * cotangent).squareRoot() : abs(cotangent)
          let tangent = (cotangent < 0 ? -1 : 1) / (abs(cotangent) + root)
          let cosine = 1 / (1 + tangent * tangent).squareRoot()
          for j in 0..<a.columns {
            let (u, v) = (x[j], y[j])
            x[j] = cosine * (u - tangent * v)
            y[j] = cosine * (v + tangent * u)
          }
        }
      }
      if isOrthogonal { return true }
    }
    return false
  }
}
