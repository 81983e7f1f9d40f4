/// A QR factorisation with column pivoting by Householder reflections, for least squares.
///
/// The columns are scaled to unit length first, so that the rank does not depend on units: a column
/// is a linear combination of others when less than `tolerance` of its length is left once their
/// span is taken out. Reference: Golub and Van Loan, *Matrix Computations*, 4th edition, 5.4.2.
///
/// Least squares through the normal equations would square the condition number; the
/// factorisation works on the columns themselves.
public struct PivotedQR: Sendable {
  /// The number of linearly independent columns.
  public let rank: Int

  /// The number of columns.
  public var columnCount: Int { order.count }

  /// The length of the columns.
  let rowCount: Int
  /// The reflection vectors, each zero above its own index and of squared length 2.
  private let reflections: [[Double]]
  /// The upper triangle R by columns, in the order of `order`.
  private let triangle: [[Double]]
  /// `order[k]` is the column of the matrix at position k of the factorisation.
  private let order: [Int]
  private let scales: [Double]

  /// The share of a column's length that must be left for the column to count as independent.
  public static let tolerance = 1e-11

  /// Factorises the matrix with these columns, all of the same length.
  ///
  /// - Parameter references: Columns whose lengths take the place of the columns' own in the
  ///   scaling, for columns computed from others: what is left of those by cancellation is rounding.
  /// - Complexity: O(*n p²*) for *p* columns of length *n*.
  public init(_ columns: [[Double]], scaledBy references: [[Double]]? = nil) {
    let rowCount = columns.first?.count ?? 0
    let scales = (references ?? columns).map { column in
      let length = norm(column, from: 0)
      return length > 0 ? length : 1
    }
    var work = zip(columns, scales).map { column, scale in column.map { $0 / scale } }
    var order = Array(columns.indices)
    var reflections: [[Double]] = []
    let limit = min(rowCount, columns.count)
    for step in 0..<limit {
      // The lengths are computed afresh: updating them is faster and loses digits just when a
      // column is nearly dependent.
      let lengths = (step..<columns.count).map { norm(work[$0], from: step) }
      guard let longest = lengths.indices.max(by: { lengths[$0] < lengths[$1] }),
        lengths[longest] > Self.tolerance
      else { break }
      work.swapAt(step, step + longest)
      order.swapAt(step, step + longest)
      let reflection = householder(work[step], from: step)
      for index in step..<columns.count {
        reflect(&work[index], by: reflection, from: step)
      }
      reflections.append(reflection)
    }
    rank = reflections.count
    self.rowCount = rowCount
    self.reflections = reflections
    self.triangle = work.map { Array($0.prefix(limit)) }
    self.order = order
    self.scales = scales
  }

  /// The coefficients of the least-squares fit of `target` by the columns.
  ///
  /// - Precondition: The columns are independent.
  public func coefficients(_ target: [Double]) -> [Double] {
    requireFullRank()
    return unscaled(solveTriangle(Array(rotated(target).prefix(rank))))
  }

  /// What is left of `target` once the span of the columns is taken out.
  public func residual(_ target: [Double]) -> [Double] {
    var rotated = rotated(target)
    for index in 0..<rank { rotated[index] = 0 }
    return rotatedBack(rotated)
  }

  /// The part of `target` in the span of the columns.
  public func projection(_ target: [Double]) -> [Double] {
    var rotated = rotated(target)
    for index in rank..<max(rank, rowCount) { rotated[index] = 0 }
    return rotatedBack(rotated)
  }

  /// The coordinates of `target`'s projection in the orthonormal basis `orthonormalColumns()`.
  public func coordinates(_ target: [Double]) -> [Double] {
    Array(rotated(target).prefix(rank))
  }

  /// An orthonormal basis of the span of the columns.
  public func orthonormalColumns() -> [[Double]] {
    (0..<rank).map { index in
      var unit = [Double](repeating: 0, count: rowCount)
      unit[index] = 1
      return rotatedBack(unit)
    }
  }

  /// The matrix A⁺ B A⁺ᵀ, where A⁺ maps coordinates in `orthonormalColumns()` to coefficients and
  /// the symmetric B is given by its columns; with B = 1 this is (XᵀX)⁻¹.
  ///
  /// - Precondition: The columns are independent.
  public func sandwich(_ middle: [[Double]]) -> [[Double]] {
    requireFullRank()
    let half = middle.map { unscaled(solveTriangle($0)) }
    let rows = (0..<rank).map { row in half.map { $0[row] } }
    return rows.map { unscaled(solveTriangle($0)) }
  }

  /// Columns that depend on each other: each group holds one column that the factorisation found
  /// superfluous and those it is a linear combination of, in the order of the matrix.
  public var dependencies: [[Int]] {
    guard rank < columnCount else { return [] }
    let amplification = amplification
    return (rank..<columnCount).map { position in
      let weights = solveTriangle(Array(triangle[position].prefix(rank)))
      // Rounding leaves a weight on columns that take no part, the larger the worse these are
      // conditioned.
      let members = weights.indices.filter { abs(weights[$0]) > 1e-12 * amplification[$0] }
      return (members.map { order[$0] } + [order[position]]).sorted()
    }
  }

  /// The sums of absolute values in the rows of R⁻¹, in the order of the factorisation: how much an
  /// error in a right-hand side grows in scaled coefficients.
  var amplification: [Double] {
    (0..<rank).reduce(into: [Double](repeating: 0, count: rank)) { sums, column in
      var unit = [Double](repeating: 0, count: rank)
      unit[column] = 1
      for (row, value) in solveTriangle(unit).enumerated() { sums[row] += abs(value) }
    }
  }

  /// For each column the vector in the coordinates of `orthonormalColumns()` whose product with the
  /// coordinates of a target is the coefficient.
  ///
  /// - Precondition: The columns are independent.
  func coefficientWeights() -> [[Double]] {
    requireFullRank()
    var weights = [[Double]](repeating: [], count: columnCount)
    for coordinate in 0..<rank {
      var unit = [Double](repeating: 0, count: rank)
      unit[coordinate] = 1
      for (column, value) in unscaled(solveTriangle(unit)).enumerated() {
        weights[column].append(value)
      }
    }
    return weights
  }

  private func requireFullRank() {
    guard rank == columnCount else {
      fatalError("PivotedQR: \(columnCount) columns of rank \(rank) have no unique coefficients")
    }
  }

  private func unscaled(_ solution: [Double]) -> [Double] {
    var result = [Double](repeating: 0, count: columnCount)
    for (position, value) in solution.enumerated() {
      result[order[position]] = value / scales[order[position]]
    }
    return result
  }

  /// Solves R x = `right` by back substitution with the leading `rank` columns.
  private func solveTriangle(_ right: [Double]) -> [Double] {
    var solution = right
    for column in stride(from: rank - 1, through: 0, by: -1) {
      solution[column] /= triangle[column][column]
      for row in 0..<column { solution[row] -= triangle[column][row] * solution[column] }
    }
    return solution
  }

  private func rotated(_ vector: [Double]) -> [Double] {
    var result = vector
    for (step, reflection) in reflections.enumerated() {
      reflect(&result, by: reflection, from: step)
    }
    return result
  }

  private func rotatedBack(_ vector: [Double]) -> [Double] {
    var result = vector
    for (step, reflection) in reflections.enumerated().reversed() {
      reflect(&result, by: reflection, from: step)
    }
    return result
  }
}

/// The vector v with |v|² = 2 whose reflection 1 - v vᵀ turns the tail of `column` to an axis.
private func householder(_ column: [Double], from start: Int) -> [Double] {
  var vector = column
  for index in 0..<start { vector[index] = 0 }
  let length = norm(column, from: start)
  // The sign that adds rather than cancels.
  vector[start] += column[start] < 0 ? -length : length
  let scale = 2.0.squareRoot() / norm(vector, from: start)
  for index in start..<vector.count { vector[index] *= scale }
  return vector
}

private func reflect(_ target: inout [Double], by vector: [Double], from start: Int) {
  var product = 0.0
  for index in start..<target.count { product += vector[index] * target[index] }
  for index in start..<target.count { target[index] -= product * vector[index] }
}

/// The Euclidean length of a vector's tail, safe from overflow.
private func norm(_ vector: [Double], from start: Int) -> Double {
  var largest = 0.0
  for index in start..<vector.count { largest = max(largest, abs(vector[index])) }
  guard largest > 0, largest.isFinite else { return largest }
  var sum = 0.0
  for index in start..<vector.count {
    let ratio = vector[index] / largest
    sum += ratio * ratio
  }
  return largest * sum.squareRoot()
}

/// The inner product of two vectors.
func dot(_ a: [Double], _ b: [Double]) -> Double {
  var sum = 0.0
  for index in a.indices { sum += a[index] * b[index] }
  return sum
}
