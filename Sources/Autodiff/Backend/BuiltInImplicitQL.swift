/// The QL iteration on a symmetric tridiagonal matrix.
extension BuiltInLinearAlgebra {
  /// A plane rotation of rows i and i + 1.
  private struct Rotation {
    var row: Int
    var cosine: Scalar
    var sine: Scalar
  }

  /// Diagonalises the tridiagonal matrix, multiplying each rotation into rows of `vectors`.
  ///
  /// `offDiagonal[i]` couples i and i + 1; its last element is scratch. On return `diagonal` holds
  /// the eigenvalues, unsorted, and row i of `vectors` the vector of value i when it held Qᵀ. False
  /// when one eigenvalue needs more than 60 sweeps (two is usual).
  static func implicitQL(
    diagonal d: UnsafeMutablePointer<Scalar>, offDiagonal e: UnsafeMutablePointer<Scalar>,
    vectors: Block
  ) -> Bool {
    let n = vectors.rows
    // The vectors do not steer the iteration. Collecting the rotations of many sweeps lets a strip
    // of the vectors stay in cache for all of them.
    let batch = 16 * n
    var rotations: [Rotation] = []
    rotations.reserveCapacity(batch + n)
    e[n - 1] = 0
    for l in 0..<n {
      var sweeps = 0
      while true {
        var m = l
        while m < n - 1, !isNegligible(e[m], d[m], d[m + 1]) { m += 1 }
        if m == l { break }
        sweeps += 1
        if sweeps > 60 { return false }
        sweep(d, e, from: l, to: m, &rotations)
        if rotations.count >= batch {
          apply(rotations, to: vectors)
          rotations.removeAll(keepingCapacity: true)
        }
      }
    }
    apply(rotations, to: vectors)
    return true
  }

  private static func isNegligible(_ e: Scalar, _ d0: Scalar, _ d1: Scalar) -> Bool {
    abs(e) <= Scalar.ulpOfOne * (abs(d0) + abs(d1)) + Scalar.leastNormalMagnitude
  }

  /// One implicit QL step on rows l...m with the shift of the leading 2 × 2 block.
  private static func sweep(
    _ d: UnsafeMutablePointer<Scalar>, _ e: UnsafeMutablePointer<Scalar>,
    from l: Int, to m: Int, _ rotations: inout [Rotation]
  ) {
    var g = (d[l + 1] - d[l]) / (2 * e[l])
    let root = length(g, 1)
    g = d[m] - d[l] + e[l] / (g < 0 ? g - root : g + root)
    var sine: Scalar = 1
    var cosine: Scalar = 1
    var shift: Scalar = 0
    for i in stride(from: m - 1, through: l, by: -1) {
      let f = sine * e[i]
      let b = cosine * e[i]
      let r = length(f, g)
      e[i + 1] = r
      if r == 0 {  // the matrix falls apart here: start again on its parts
        d[i + 1] -= shift
        e[m] = 0
        return
      }
      sine = f / r
      cosine = g / r
      g = d[i + 1] - shift
      let s = (d[i] - g) * sine + 2 * cosine * b
      shift = sine * s
      d[i + 1] = g + shift
      g = cosine * s - b
      rotations.append(Rotation(row: i, cosine: cosine, sine: sine))
    }
    d[l] -= shift
    e[l] = g
    e[m] = 0
  }

  /// √(x² + y²) without overflow or underflow.
  private static func length(_ x: Scalar, _ y: Scalar) -> Scalar {
    let large = max(abs(x), abs(y))
    let small = min(abs(x), abs(y))
    if large == 0 { return 0 }
    let ratio = small / large
    return large * (1 + ratio * ratio).squareRoot()
  }

  /// Columns of the vectors are independent: threads take strips, copied to where they are dense.
  private static func apply(_ rotations: [Rotation], to vectors: Block) {
    let n = vectors.rows
    let strip = 32
    let work = rotations.count * vectors.columns
    let grain = work < 50_000 ? max(1, vectors.columns) : strip
    parallelFor(count: vectors.columns, grain: grain) { columns in
      let width = columns.count
      let copy = UnsafeMutablePointer<Scalar>.allocate(capacity: n * width)
      defer { copy.deallocate() }
      for i in 0..<n {
        (copy + i * width).update(from: vectors.row(i) + columns.lowerBound, count: width)
      }
      for rotation in rotations {
        rotate(copy + rotation.row * width, width, rotation.cosine, rotation.sine)
      }
      for i in 0..<n {
        (vectors.row(i) + columns.lowerBound).update(from: copy + i * width, count: width)
      }
    }
  }

  /// Rotates a row of `count` elements with the one after it.
  @inline(__always)
  private static func rotate(
    _ row: UnsafeMutablePointer<Scalar>, _ count: Int, _ cosine: Scalar, _ sine: Scalar
  ) {
    let next = row + count
    for k in 0..<count {
      let x = row[k]
      let y = next[k]
      next[k] = sine * x + cosine * y
      row[k] = cosine * x - sine * y
    }
  }
}
