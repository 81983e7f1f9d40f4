import Autodiff

/// The Neumann series for A x = b: x ← x + step (b − A x).
///
/// It converges where the spectral radius ρ of I − step · A is below 1, the residual falling by ρ per
/// iteration in the end; for symmetric A that means 0 < step < 2 / λmax. One product and two passes
/// over vectors per iteration. With A = I − T′ and step 1 it is the adjoint of the fixed-point
/// iteration x ← T(x), at its price and speed. Any Krylov method needs fewer products; use this one
/// where T contracts well, or to see what k terms of the series give.
///
/// ρ is estimated first by power iteration (up to 100 products, once per operator), and a map that
/// does not contract is refused, with a step that would contract where one exists: the spectrum of A
/// must lie in the right half-plane.
public struct Neumann: KrylovSolver {
  public let options: KrylovOptions
  /// The factor of the residual.
  public let step: Double

  /// Terms of the series of the inverse, for a matrix near the identity.
  ///
  /// - Parameters:
  ///   - tolerance: The relative residual; nil is what the system asks for.
  ///   - maximumIterations: At least 1; nil is 1000.
  ///   - step: Positive.
  public init(tolerance: Double? = nil, maximumIterations: Int? = nil, step: Double = 1) {
    options = KrylovOptions(
      tolerance: tolerance, maximumIterations: maximumIterations, for: "Neumann")
    guard step > 0, step.isFinite else {
      stop("Neumann", "step must be positive and finite, found \(step)")
    }
    self.step = step
  }

  public func solve(_ system: LinearSystem) throws(SolverError) -> LinearSolution {
    try LinearIteration.solve(
      system, options, "Neumann", limit: 1000,
      refusing: { () throws(SolverError) in try refusal(system.matrix) }, cycle: cycle)
  }

  private func cycle(
    _ run: inout LinearIteration
  ) throws(SolverError) -> LinearIteration.CycleEnd {
    var (x, r) = (run.x, run.residual)
    let first = run.residualNorm
    var least = first
    var sinceLeast = 0
    while true {
      x = combination(1, x, step, r)
      // The residual of x itself needs no more products than a recurrence for it.
      r = try run.residual(at: x)
      let size = norm(r)
      run.offer(x, size)
      if let end = run.note(size) { return end }
      sinceLeast = size < least ? 0 : sinceLeast + 1
      least = min(least, size)
      // At working precision the residual only fluctuates; before, it may rise for a while where A
      // is far from normal, but not for ever.
      if sinceLeast >= 20, step * size <= 100 * run.epsilon * norm(x) { return .claim }
      if size > first / run.epsilon { return .failure(.stalled) }
    }
  }

  // MARK: - Refusal

  /// Why the iteration would not converge; the eigenvalues of A and Aᵀ are the same.
  private func refusal(_ a: LinearOperator) throws(SolverError) -> SolverStatus.Outcome? {
    let key = PreparationKey<SolverStatus.Outcome?>("Neumann", step)
    return try a.prepared(key) { () throws(SolverError) -> SolverStatus.Outcome? in
      let estimate = try estimate(a, step)
      if estimate.radius < 1 { return nil }
      if !estimate.radius.isFinite { return .notFinite }
      return .notContractive(
        spectralRadius: estimate.radius, admissibleStep: try admissibleStep(a, estimate))
    }
  }

  private func estimate(
    _ a: LinearOperator, _ step: Double
  ) throws(SolverError) -> SpectralEstimate {
    try SpectralEstimate(size: a.size, scalarType: a.scalarType) { v throws(SolverError) in
      combination(1, v, -step, try a(v))
    }
  }

  /// A step below which the iteration contracts, or nil where none was found.
  ///
  /// An eigenvalue λ of A allows steps below 2 Re λ / |λ|², none where Re λ ≤ 0. The one that the
  /// estimate met gives a first bound. Half of a bound is tried next, which is safe for that
  /// eigenvalue and, at that, fastest; where another one forbids it, the estimate has now met that.
  private func admissibleStep(
    _ a: LinearOperator, _ first: SpectralEstimate
  ) throws(SolverError) -> Double? {
    var (step, estimate) = (step, first)
    for _ in 0..<8 {
      var bound = step / 2
      if let eigenvalue = estimate.eigenvalue {
        // λ from the eigenvalue 1 − step λ of the map.
        let (real, imaginary) = ((1 - eigenvalue.real) / step, eigenvalue.imaginary / step)
        bound = 2 * real / (real * real + imaginary * imaginary)
      }
      guard bound > 0, bound.isFinite else { return nil }
      step = min(step, bound) / 2
      estimate = try self.estimate(a, step)
      if estimate.radius < 1 { return step }
    }
    return nil
  }
}
