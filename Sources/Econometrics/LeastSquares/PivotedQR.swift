import Autodiff

/// A QR factorisation with column pivoting, for least squares.
///
/// The columns are scaled to unit length first, so that the rank does not depend on units: a column
/// is a linear combination of others when less than `tolerance` of its length is left once their
/// span is taken out. Each column of Q is orthogonalised twice, which makes Q orthonormal to
/// rounding. References: Golub and Van Loan, *Matrix Computations*, 4th edition, 5.2 and 5.4; Giraud,
/// Langou and Rozložník, The loss of orthogonality in the Gram–Schmidt orthogonalization process
/// (2005).
///
/// Least squares through the normal equations would square the condition number; the
/// factorisation works on the columns themselves.
public struct PivotedQR: Sendable {
  /// The share of a column's length that must be left for the column to count as independent.
  public static let tolerance = 1e-11

  /// Q, an orthonormal basis of the span of the columns, [n, rank].
  public let basis: Tensor
  /// The number of columns.
  public let columnCount: Int
  /// `order[k]` is the column of the matrix at position k of the factorisation.
  private let order: [Int]
  /// Qᵀ times the scaled columns, [rank, p].
  private let triangle: Tensor
  private let scales: [Double]

  /// The number of linearly independent columns.
  public var rank: Int { order.count }

  /// Factorises the matrix with these columns, all of the same length.
  ///
  /// - Parameter references: Columns whose lengths take the place of the columns' own in the
  ///   scaling, for columns computed from others: what is left of those by cancellation is rounding.
  /// - Complexity: O(*n p²*) for *p* columns of length *n*.
  public init(_ columns: [Tensor], scaledBy references: [Tensor]? = nil) {
    let rowCount = columns.first?.elementCount ?? 0
    columnCount = columns.count
    scales = (references ?? columns).map { column in
      let length = column.norm().scalar
      return length > 0 ? length : 1
    }
    let scaled: Tensor =
      columns.isEmpty
      ? .zeros([0, 0]) : .stacked(zip(columns, scales).map { $0 / $1 }, alongAxis: 1)
    var (left, order, vectors) = (scaled, [Int](), [Tensor]())
    while order.count < min(rowCount, columns.count) {
      // The lengths are computed afresh: updating them is faster and loses digits just when a
      // column is nearly dependent.
      let lengths = left.norm(alongAxis: 0).scalars
      let rest = lengths.indices.filter { !order.contains($0) }
      guard let longest = rest.max(by: { lengths[$0] < lengths[$1] }),
        lengths[longest] > Self.tolerance
      else { break }
      var vector = left[0..., longest] / lengths[longest]
      if !vectors.isEmpty {
        let basis = Tensor.stacked(vectors, alongAxis: 1)
        vector = vector - matmul(basis, matmul(basis.transposed(), vector))
        vector = vector / vector.norm()
      }
      order.append(longest)
      vectors.append(vector)
      let column = vector.expandingShape(at: 1)
      left = left - matmul(column, matmul(column, left, transposeA: true))
    }
    basis = vectors.isEmpty ? .zeros([rowCount, 0]) : .stacked(vectors, alongAxis: 1)
    triangle = vectors.isEmpty ? .zeros([0, 0]) : matmul(basis, scaled, transposeA: true)
    self.order = order
  }

  /// The coefficients of the least-squares fit of `target` by the columns, [p].
  ///
  /// - Precondition: The columns are independent.
  public func coefficients(_ target: Tensor) -> Tensor {
    matmul(coefficientWeights, coordinates(target))
  }

  /// What is left of `target`, [n], once the span of the columns is taken out.
  public func residual(_ target: Tensor) -> Tensor {
    let left = target - projection(target)
    return left - projection(left)
  }

  /// The part of `target`, [n], in the span of the columns.
  public func projection(_ target: Tensor) -> Tensor {
    rank == 0 ? .zeros(like: target) : matmul(basis, coordinates(target))
  }

  /// The coordinates of `target`'s projection in `basis`, [rank].
  public func coordinates(_ target: Tensor) -> Tensor { matmul(basis.transposed(), target) }

  /// A⁺, the map from coordinates in `basis` to coefficients, [p, rank].
  ///
  /// - Precondition: The columns are independent.
  public var coefficientWeights: Tensor {
    guard rank == columnCount else {
      stop("PivotedQR", "\(columnCount) columns of rank \(rank) have no unique coefficients")
    }
    let weights = solveTriangle(.identity(rank))
    var position = order
    for (place, column) in order.enumerated() { position[column] = place }
    return weights.gathering(Tensor(indices: position), alongAxis: 0)
      / Tensor(scales).expandingShape(at: 1)
  }

  /// The matrix A⁺ B A⁺ᵀ for a symmetric B in coordinates of `basis`; with B = 1 this is (XᵀX)⁻¹.
  ///
  /// - Precondition: The columns are independent.
  public func sandwich(_ middle: Tensor) -> Tensor {
    let weights = coefficientWeights
    return matmul(weights, matmul(middle, weights, transposeB: true))
  }

  /// Columns that depend on each other: each group holds one column that the factorisation found
  /// superfluous and those it is a linear combination of, in the order of the matrix.
  public var dependencies: [[Int]] {
    (0..<columnCount).filter { !order.contains($0) }.map { column in
      guard rank > 0 else { return [column] }
      let weights = solveTriangle(triangle.slice(column..<column + 1, alongAxis: 1)).scalars
      // Rounding leaves a weight on columns that take no part, the larger the worse these are
      // conditioned.
      let members = zip(weights, amplification).enumerated()
        .filter { abs($1.0) > 1e-12 * $1.1 }.map { order[$0.offset] }
      return (members + [column]).sorted()
    }
  }

  /// The sums of absolute values in the rows of R⁻¹, in the order of the factorisation: how much an
  /// error in a right-hand side grows in scaled coefficients.
  var amplification: [Double] { abs(solveTriangle(.identity(rank))).sum(alongAxis: 1).scalars }

  /// R⁻¹ B with the independent columns.
  private func solveTriangle(_ right: Tensor) -> Tensor {
    guard rank > 0 else { return right }
    do {
      return try triangularSolve(
        triangle.gathering(Tensor(indices: order), alongAxis: 1), right, lower: false)
    } catch {
      // Every pivot is above the tolerance.
      stop("PivotedQR", "\(error)")
    }
  }
}
