import Autodiff

/// A Cholesky factorisation K ≈ L Lᵀ of a positive semidefinite matrix that takes the largest remaining
/// diagonal element as the next pivot and ends where nothing is left but rounding.
///
/// Fine and Scheinberg, Efficient SVM training using low-rank kernel representations (2001).
struct PivotedCholesky {
  /// The rows that were chosen, in order.
  let pivots: [Int]
  /// L at the chosen rows, lower triangular, [r, r].
  let factor: Tensor

  /// r.
  var rank: Int { pivots.count }

  /// - Parameters:
  ///   - matrix: K, [m, m], symmetric, constant, float64.
  ///   - tolerance: Of the remaining diagonal relative to the largest element of the first one.
  init(_ matrix: Tensor, tolerance: Double) {
    let count = matrix.shape[0]
    let elements = matrix.scalars
    var remaining = (0..<count).map { elements[$0 * count + $0] }
    let limit = tolerance * max(0, remaining.max() ?? 0)
    var (pivots, columns): ([Int], [[Double]]) = ([], [])
    while columns.count < count {
      guard let pivot = remaining.indices.max(by: { remaining[$0] < remaining[$1] }),
        remaining[pivot] > limit, limit > 0
      else { break }
      let root = remaining[pivot].squareRoot()
      var column = Array(elements[pivot * count..<(pivot + 1) * count])
      for earlier in columns {
        let scale = earlier[pivot]
        for row in 0..<count { column[row] -= scale * earlier[row] }
      }
      for row in 0..<count {
        column[row] /= root
        remaining[row] -= column[row] * column[row]
      }
      // A pivot is chosen once, whatever rounding leaves of it.
      remaining[pivot] = -.infinity
      column[pivot] = root
      pivots.append(pivot)
      columns.append(column)
    }
    self.pivots = pivots
    let triangle = pivots.indices.flatMap { row in
      pivots.indices.map { $0 <= row ? columns[$0][pivots[row]] : 0 }
    }
    factor = Tensor(triangle, shape: [pivots.count, pivots.count])
  }
}
