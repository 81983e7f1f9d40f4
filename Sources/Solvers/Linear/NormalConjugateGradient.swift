import Autodiff

/// The conjugate gradient method on AᵀA x = Aᵀb, for any A.
///
/// x minimises ‖b − A x‖ over the Krylov space of AᵀA, so the residual never grows; the number of
/// iterations follows the condition number of A itself where that of `ConjugateGradient` follows its
/// square root. Two products (A v and Aᵀ v) and five passes over vectors per iteration. The robust
/// choice where eigenvalues say little: highly non-normal or rotating A. A singular A is fine where b
/// lies in its range; otherwise the least residual is reached and reported as `stalled`.
///
/// AᵀA is never formed and Aᵀ is applied to the residual itself, which makes it as accurate as LSQR.
/// The reported residual is ‖b − A x‖. Hestenes and Stiefel (1952); Björck, Elfving and Strakoš,
/// Stability of conjugate gradient and Lanczos methods for linear least squares problems (1998).
public struct NormalConjugateGradient: KrylovSolver {
  public let options: KrylovOptions

  /// Conjugate gradients on AᵀA x = Aᵀb, for any matrix.
  ///
  /// - Parameters:
  ///   - tolerance: The relative residual; nil is what the system asks for.
  ///   - maximumIterations: At least 1; nil is 10 n.
  public init(tolerance: Double? = nil, maximumIterations: Int? = nil) {
    options = KrylovOptions("NormalConjugateGradient", tolerance, maximumIterations)
  }

  public func solve(_ system: LinearSystem) throws(SolverError) -> LinearSolution {
    try LinearIteration.solve(system, options, "NormalConjugateGradient", cycle: cycle)
  }

  private func cycle(
    _ run: inout LinearIteration
  ) throws(SolverError) -> LinearIteration.CycleEnd {
    var (x, r) = (run.x, run.residual)
    var size = run.residualNorm
    var s = try run.adjointProduct(r)
    var p = s
    var gamma = inner(s, s)
    var largest = 0.0
    while true {
      let q = try run.product(p)
      let (qq, pp) = (inner(q, q), inner(p, p))
      guard qq.isFinite, gamma.isFinite else { return .failure(.notFinite) }
      // Aᵀr = 0 to rounding: the residual is the least there is.
      largest = max(largest, pp > 0 ? (qq / pp).squareRoot() : 0)
      guard qq > 0, gamma.squareRoot() > run.epsilon * largest * size else {
        return run.note(size) ?? .claim
      }
      let step = gamma / qq
      x = combination(1, x, step, p)
      r = combination(1, r, -step, q)
      size = norm(r)
      run.offer(x, size)
      if let end = run.note(size) { return end }
      s = try run.adjointProduct(r)
      let next = inner(s, s)
      p = combination(1, s, next / gamma, p)
      gamma = next
    }
  }
}
