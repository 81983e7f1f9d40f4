import Autodiff

extension AffineFit {
  /// The largest share that one independent unit, a row or a cluster, has in what determines ω.
  ///
  /// Of all splits it is
  ///
  ///     max_u ρ(S̄⁻¹ (1/n) Σ_{i ∈ u} ∂ω φᵢ),   S̄ = ∂ω mean φ,   ρ the spectral radius
  ///
  /// Near 1 the root solves the equation of that unit alone, whose score is then near 0 there, so that
  /// the sandwich covariance does not see its error: what leverage is to least squares. Nil where S̄
  /// is singular.
  ///
  /// - Complexity: O(n d²).
  public var largestLeverage: Double? {
    let leverages = splits.flatMap { split in split.parts.map { split.leverage(of: $0) } }
    let known = leverages.compactMap { $0 }
    return known.count == leverages.count ? known.max() : nil
  }
}

extension AffineFit.Split {
  fileprivate func leverage(of part: Part) -> Double? {
    let (count, dimension) = (
      part.terms.pairs[0].residual.slope.shape[0], part.terms.pairs[0].residual.slope.shape[1]
    )
    var sums: [Int: [Double]] = [:]
    for term in part.terms.terms {
      guard let solved = try? solve(meanSlope, term.factor.transposed()) else { return nil }
      let (factors, slopes) = (solved.transposed().scalars, term.slope.scalars)
      for row in 0..<count {
        let unit = part.clusters?[row] ?? row
        var sum = sums[unit] ?? [Double](repeating: 0, count: dimension * dimension)
        for a in 0..<dimension {
          for b in 0..<dimension {
            sum[a * dimension + b] += factors[row * dimension + a] * slopes[row * dimension + b]
          }
        }
        sums[unit] = sum
      }
    }
    var largest = 0.0
    for sum in sums.values {
      let share = sum.map { $0 / Double(count) }
      // The radius is at most the norm, so most units need no more than that.
      guard share.reduce(0, { $0 + $1 * $1 }).squareRoot() > largest else { continue }
      largest = max(largest, spectralRadius(share, dimension))
    }
    return largest
  }
}

/// lim ‖Mᵏ‖^(1/k) of a square matrix in row-major order, at k = 64, where the units of coordinates
/// hardly count any more.
private func spectralRadius(_ matrix: [Double], _ dimension: Int) -> Double {
  var power = matrix
  var logarithm = 0.0
  for doubling in 0...6 {
    let size = power.reduce(0) { $0 + $1 * $1 }.squareRoot()
    guard size > 0, size.isFinite else { return size }
    logarithm += log(Tensor(size)).scalar / Double(1 << doubling)
    guard doubling < 6 else { break }
    power = power.map { $0 / size }
    let factor = Tensor(power).reshaped(to: [dimension, dimension])
    power = matmul(factor, factor).scalars
  }
  return exp(Tensor(logarithm)).scalar
}
