import Autodiff
import Inference
import Solvers

extension AffineFit {
  /// The stationary point ω̂ with the sandwich covariance of its error.
  ///
  ///     mean φ(ω̂) + ∇R(ω̂) = 0,   ω̂ − ω* ≈ −(S̄ + ∇²R)⁻¹ mean φᵢ(ω̂),   S̄ = ∂ω mean φ
  ///
  /// S̄ is not symmetric and not made so. With several splits the median of their roots.
  ///
  /// - Parameter penalty: R, a smooth penalty on ω; the interval is for the penalised root then.
  /// - Throws: `OrthogonalError.rootNotIdentified` where S̄ + ∇²R is singular to rounding, and
  ///   `.rootNotFound` where Newton's method does not end.
  public func root(
    penalty: ((_ outer: Tensor) throws -> Tensor)? = nil
  ) throws(SolverError) -> Estimate {
    try Estimate.aggregated(splits) { split throws(SolverError) in
      let (point, slope) = try split.root(dimension, penalty)
      let score = try split.estimate(names, shift: split.shift(at: point)) { $0.rows(at: point) }
      return try score.root(at: point, derivative: slope, names: names)
    }
  }
}

extension AffineFit {
  /// How uncertain the slope S̄ of the score is where aᵀω depends on it, as a share of it.
  ///
  ///     √(cᵀ Σ_m c) / aᵀc,   c = Σ_ω a,  Σ_m the covariance of the mean of mᵢ = (∂ω φᵢ)ᵀ S̄⁻ᵀ a
  ///
  /// aᵀ(ω̂ − ω*) is −aᵀS̄⁻¹φ̄(ω*) − (m̄ − a)ᵀ(ω̂ − ω*) up to terms of third order. A standard error sees the
  /// first of these alone; the other scales the error of aᵀω̂ by one plus or minus this share. In one
  /// dimension it is the inverse of S̄'s own t statistic. Of several splits the median, as their roots
  /// are aggregated; infinite where S̄ is singular.
  ///
  /// - Parameters:
  ///   - weights: a, [d].
  ///   - root: ω̂.
  ///   - curvature: What a penalty adds to the diagonal of S̄.
  func slopeUncertainty(
    of weights: Tensor, at root: Estimate, curvature: Double = 0
  ) throws(SolverError) -> Double {
    let column = weights.expandingShape(at: 1)
    let error = matmul(root.covariance, column)
    let variance = (column * error).sum().scalar
    guard variance > 0 else { return 0 }
    var shares: [Double] = []
    for split in splits {
      let slope = split.meanSlope + curvature * Tensor.identity(dimension)
      guard let direction = try? solve(slope.transposed(), column) else {
        shares.append(.infinity)
        continue
      }
      let moved = try calling {
        try split.estimate(names, shift: .zeros([dimension])) { $0.slopes(along: direction) }
      }
      let square = (error * matmul(moved.covariance, error)).sum().scalar
      let share = Swift.max(square, 0).squareRoot() / variance
      shares.append(square.isNaN ? .infinity : share)
    }
    return shares.sorted()[(shares.count - 1) / 2]
  }
}

extension AffineFit.Split {
  /// The root and the derivative there, [d, d].
  fileprivate func root(
    _ dimension: Int, _ penalty: ((Tensor) throws -> Tensor)?
  ) throws(SolverError) -> (point: Tensor, derivative: Tensor) {
    let zero = Tensor.zeros([dimension])
    let (intercept, slope) = (gradient(at: zero), meanSlope)
    guard let penalty else {
      // The equation is linear.
      try slope.requireInvertible()
      return (try calling { -(try solve(slope, intercept)) }, slope)
    }
    return try orthogonalRoot(from: zero) { ω throws(SolverError) in
      let pull = try Autodiff.gradient(at: ω) { ω throws(SolverError) in
        try calling { try penalty(ω) }
      }
      return intercept + matmul(slope, ω.expandingShape(at: 1)).squeezingShape(at: 1) + pull
    }
  }
}

extension Tensor {
  /// Throws where a square matrix is singular to rounding: its singular values are square roots of
  /// eigenvalues of AᵀA, which half the digits can tell from zero.
  ///
  /// Columns and rows are scaled to norm one before, so that units of ω do not count.
  func requireInvertible() throws(SolverError) {
    let scaled = scaledToUnitNorms(alongAxis: 0).scaledToUnitNorms(alongAxis: 1)
    let values = try calling { try singularValues(scaled).scalars }
    let largest = values.first ?? 0
    let rank = values.count { $0 > 1e-7 * largest }
    guard rank == values.count, largest > 0 else {
      throw .function(
        OrthogonalError.rootNotIdentified(
          rank: rank, dimension: values.count,
          smallestSingularValue: largest == 0 ? 0 : (values.last ?? 0) / largest))
    }
  }

  private func scaledToUnitNorms(alongAxis axis: Int) -> Tensor {
    let size = abs(self).max(alongAxis: axis, keepingDimension: true)
    let bounded = self / select(size .> 0, size, Tensor.ones(like: size))
    let norm = sqrt(square(bounded).sum(alongAxis: axis, keepingDimension: true))
    return bounded / select(norm .> 0, norm, Tensor.ones(like: norm))
  }
}
