import CTensorKernels

/// Symmetric eigendecomposition without a library: A = Q T Qᵀ with T tridiagonal by blocked
/// Householder reflections, then implicit QL with Wilkinson's shift on T. (Golub and Van Loan, Matrix
/// Computations, 8.3; Dongarra, Sorensen, Hammarling 1989 for the blocking.)
extension BuiltInLinearAlgebra {
  /// Replaces symmetric A (its lower triangle is read) by eigenvectors in its columns.
  ///
  /// `values` receives the n eigenvalues in ascending order. Returns false, with A destroyed, when
  /// A has an element that is not finite or the QL iteration does not converge.
  static func symmetricEigen(_ a: Block, values: UnsafeMutablePointer<Scalar>) -> Bool {
    let n = a.rows
    guard n > 0 else { return true }
    guard let scale = symmetrizeAndScale(a) else { return false }
    let workspace = UnsafeMutablePointer<Scalar>.allocate(capacity: n * n + 2 * n)
    defer { workspace.deallocate() }
    let q = Block(workspace, rows: n, columns: n, stride: n)
    let offDiagonal = workspace + n * n
    let tau = offDiagonal + n
    tridiagonalize(a, diagonal: values, offDiagonal: offDiagonal, tau: tau)
    formTransposedQ(a, tau: tau, q)
    guard implicitQL(diagonal: values, offDiagonal: offDiagonal, vectors: q) else { return false }
    // Ascending order; equal values keep theirs.
    let unsorted = (0..<n).map { values[$0] * scale }
    let order = (0..<n).sorted { (unsorted[$0], $0) < (unsorted[$1], $1) }
    for (j, source) in order.enumerated() {
      values[j] = unsorted[source]
      let vector = q.row(source)
      for i in 0..<n { a[i, j] = vector[i] }
    }
    return true
  }

  /// Copies the lower triangle to the upper and scales the largest element to about 1.
  ///
  /// Then squares neither overflow nor vanish. Returns the power of two that was divided by, `nil`
  /// when an element is not finite.
  private static func symmetrizeAndScale(_ a: Block) -> Scalar? {
    var largest: Scalar = 0
    for i in 0..<a.rows {
      for j in 0...i {
        guard a[i, j].isFinite else { return nil }
        largest = max(largest, abs(a[i, j]))
      }
    }
    let scale = largest == 0 ? 1 : max(largest.binade, Scalar.leastNormalMagnitude)
    for i in 0..<a.rows {
      for j in 0...i {
        let value = a[i, j] / scale
        a[i, j] = value
        a[j, i] = value
      }
    }
    return scale
  }

  /// Reduces A to tridiagonal form T = Qᵀ A Q, Q = H₀ H₁ … with Hⱼ = I - tauⱼ vⱼ vⱼᵀ.
  ///
  /// Row j of A becomes vⱼ, zero up to the diagonal and 1 just after it. A panel of columns is
  /// reduced while the part of A behind it is only read; it is brought up to date by two products.
  private static func tridiagonalize(
    _ a: Block, diagonal: UnsafeMutablePointer<Scalar>, offDiagonal: UnsafeMutablePointer<Scalar>,
    tau: UnsafeMutablePointer<Scalar>
  ) {
    let n = a.rows
    let panelSize = 32
    let storage = UnsafeMutablePointer<Scalar>.allocate(capacity: panelSize * n)
    defer { storage.deallocate() }
    let w = Block(storage, rows: panelSize, columns: n, stride: n)
    for start in stride(from: 0, to: n, by: panelSize) {
      let end = min(start + panelSize, n)
      for j in start..<end {
        let x = a.row(j)
        for r in start..<j {  // A[j, j...] -= V W[j]ᵀ + W V[j]ᵀ
          add(-w[r - start, j], a.row(r) + j, to: x + j, count: n - j)
          add(-a[r, j], w.row(r - start) + j, to: x + j, count: n - j)
        }
        diagonal[j] = x[j]
        offDiagonal[j] = 0
        tau[j] = 0
        x.update(repeating: 0, count: j + 1)
        w.row(j - start).update(repeating: 0, count: n)
        if j + 1 < n {
          (offDiagonal[j], tau[j]) = makeReflector(x + j + 1, count: n - j - 1)
          computeUpdate(a, w, panel: start..<j, column: j, tau: tau[j])
        }
      }
      if end < n {
        let behind = end..<n
        let v = a.block(start..<end, behind)
        let update = w.block(0..<(end - start), behind)
        multiply(-1, v, transposeA: true, update, plus: 1, a.block(behind, behind))
        multiply(-1, update, transposeA: true, v, plus: 1, a.block(behind, behind))
      }
    }
  }

  /// Finds (I - tau v vᵀ) x = beta e₁ with v₀ = 1 and overwrites x with v.
  static func makeReflector(
    _ x: UnsafeMutablePointer<Scalar>, count: Int
  ) -> (beta: Scalar, tau: Scalar) {
    let first = x[0]
    let tail = dot(x + 1, x + 1, count: count - 1)
    x[0] = 1
    if tail == 0 { return (first, 0) }
    let norm = (first * first + tail).squareRoot()
    let beta = first > 0 ? -norm : norm
    let scale = first - beta
    for i in 1..<count { x[i] /= scale }
    return (beta, -scale / beta)
  }

  /// Row `column` of W = p - (tau/2) (pᵀ v) v with p = tau (A - V Wᵀ - W Vᵀ) v.
  private static func computeUpdate(
    _ a: Block, _ w: Block, panel: Range<Int>, column: Int, tau: Scalar
  ) {
    let from = column + 1
    let count = a.rows - from
    let v = a.row(column) + from
    let p = w.row(column - panel.lowerBound) + from
    parallelFor(count: count, grain: max(32, 200_000 / count)) { rows in
      for i in rows { p[i] = dot(a.row(from + i) + from, v, count: count) }
    }
    for r in panel {
      let wr = w.row(r - panel.lowerBound) + from
      let vr = a.row(r) + from
      let wv = dot(wr, v, count: count)
      let vv = dot(vr, v, count: count)
      add(-wv, vr, to: p, count: count)
      add(-vv, wr, to: p, count: count)
    }
    for i in 0..<count { p[i] *= tau }
    add(-tau / 2 * dot(p, v, count: count), v, to: p, count: count)
  }

  /// Multiplies the reflectors in the rows of A into Qᵀ, a panel at a time as I - V T Vᵀ.
  private static func formTransposedQ(_ a: Block, tau: UnsafeMutablePointer<Scalar>, _ q: Block) {
    let n = a.rows
    let panelSize = 32
    q.base.update(repeating: 0, count: n * n)
    for i in 0..<n { q[i, i] = 1 }
    let storage = UnsafeMutablePointer<Scalar>.allocate(capacity: 2 * panelSize * (n + panelSize))
    defer { storage.deallocate() }
    for start in stride(from: (n - 1) / panelSize * panelSize, through: 0, by: -panelSize) {
      let width = min(panelSize, n - start)
      let active = start..<n
      let v = a.block(start..<(start + width), active)
      let block = q.block(active, active)
      let qv = Block(storage, rows: n - start, columns: width, stride: width)
      let qvt = Block(storage + n * panelSize, rows: n - start, columns: width, stride: width)
      let t = Block(storage + 2 * n * panelSize, rows: width, columns: width, stride: width)
      let products = Block(t.base + width * width, rows: width, columns: width, stride: width)
      multiply(1, v, v, transposeB: true, plus: 0, products)
      makeTriangularFactor(t, products: products, tau: tau + start)
      multiply(1, block, v, transposeB: true, plus: 0, qv)
      multiply(1, qv, t, transposeB: true, plus: 0, qvt)
      multiply(-1, qvt, v, plus: 1, block)
    }
  }

  /// Upper triangular T with H₀ H₁ … = I - V T Vᵀ, from the products VᵀV.
  private static func makeTriangularFactor(
    _ t: Block, products: Block, tau: UnsafeMutablePointer<Scalar>
  ) {
    for j in 0..<t.rows {
      for i in 0..<t.rows { t[i, j] = 0 }
      t[j, j] = tau[j]
      for i in 0..<j {
        var sum: Scalar = 0
        for p in i..<j { sum += t[i, p] * products[p, j] }
        t[i, j] = -tau[j] * sum
      }
    }
  }

  static func dot(
    _ x: UnsafePointer<Scalar>, _ y: UnsafePointer<Scalar>, count: Int
  ) -> Scalar {
    Scalar(tk_dot(Scalar.kernelType, x, y, count))
  }

  static func add(
    _ factor: Scalar, _ x: UnsafePointer<Scalar>, to y: UnsafeMutablePointer<Scalar>, count: Int
  ) {
    tk_axpy(Scalar.kernelType, Double(factor), x, y, count)
  }
}
