import Autodiff

/// The minimal residual method for A x = b with symmetric A, definite or not.
///
/// x minimises ‖b − A x‖ over the Krylov space, so the residual never grows. One product and six
/// passes over vectors per iteration. Use it where a stationary point need not be a minimum; for a
/// definite A it needs about as many iterations as `ConjugateGradient`, and its residuals fall more
/// smoothly. A singular A is fine where b lies in its range; otherwise the least residual is reached
/// and reported as `stalled`.
///
/// An operator that is not symmetric is refused (two products, once per operator). Paige and
/// Saunders, Solution of sparse indefinite systems of linear equations (1975).
public struct MINRES: KrylovSolver {
  public let options: KrylovOptions

  /// Iterations for a symmetric matrix, definite or not.
  ///
  /// - Parameters:
  ///   - tolerance: The relative residual; nil is what the system asks for.
  ///   - maximumIterations: At least 1; nil is 10 n.
  public init(tolerance: Double? = nil, maximumIterations: Int? = nil) {
    options = KrylovOptions(
      tolerance: tolerance, maximumIterations: maximumIterations, for: "MINRES")
  }

  public func solve(_ system: LinearSystem) throws(SolverError) -> LinearSolution {
    try LinearIteration.solve(
      system, options, "MINRES",
      refusing: { () throws(SolverError) in try system.matrix.asymmetryRefusal() }, cycle: cycle)
  }

  /// Lanczos vectors v with A V = V T, and the QR factorisation of the tridiagonal T by rotations.
  private func cycle(
    _ run: inout LinearIteration
  ) throws(SolverError) -> LinearIteration.CycleEnd {
    var x = run.x
    // T has `beta` beside its diagonal; `remainder` is what of ‖r‖ is not yet explained.
    var beta = run.residualNorm
    var remainder = beta
    var v = combination(1 / beta, run.residual, 0, run.residual)
    var previous = Tensor.zeros(like: v)
    // Columns of V R⁻¹, and the last rotation with what it leaves of the next columns of T.
    var (w, wPrevious) = (previous, previous)
    var (cosine, sine) = (-1.0, 0.0)
    var (diagonal, twoAbove) = (0.0, 0.0)
    var largest = 0.0
    var isFirst = true
    // An iterate that may have the least residual there is; see below.
    var plateau: (x: Tensor, remainder: Double, iteration: Int)?
    while true {
      let av = try run.product(v)
      let alpha = inner(v, av)
      let next = combination(1, av, -alpha, v, isFirst ? nil : (-beta, previous))
      isFirst = false
      beta = norm(next)

      // Column k of R: `third`, `above`, `pivot` in rows k − 2, k − 1 and k.
      let third = twoAbove
      let above = cosine * diagonal + sine * alpha
      let unrotated = sine * diagonal - cosine * alpha
      (twoAbove, diagonal) = (sine * beta, -cosine * beta)
      largest = max(largest, abs(alpha) + beta)
      // ‖A r‖ / ‖r‖ before this step: where it vanishes, the residual is the least there is.
      let slope = hypotenuse(unrotated, diagonal)
      let pivot = hypotenuse(unrotated, beta)
      guard slope.isFinite else { return .failure(.notFinite) }
      if plateau == nil, slope <= run.epsilon.squareRoot() * largest {
        plateau = (x, remainder, run.iterations)
      }
      guard min(pivot, slope) > run.epsilon * largest else { return run.note(remainder) ?? .claim }
      (cosine, sine) = (unrotated / pivot, beta / pivot)
      let step = cosine * remainder
      remainder *= sine

      let direction = combination(1 / pivot, v, -above / pivot, w, (-third / pivot, wPrevious))
      (wPrevious, w) = (w, direction)
      x = combination(1, x, step, direction)
      run.offer(x, remainder)
      let end = run.note(remainder)
      if let candidate = plateau {
        // Beyond the least residual of a singular system the recurrence goes on to fall, sooner or
        // later, while the residual rises. An ill-conditioned system looks the same, but keeps its
        // word, and n iterations should show.
        let hasFallen = remainder < 0.5 * candidate.remainder
        let isLate = run.iterations - candidate.iteration > v.elementCount
        if hasFallen || isLate || end != nil {
          let actual = norm(try run.residual(at: x))
          if actual > candidate.remainder { run.retract(to: candidate.x, candidate.remainder) }
          if isLate || actual > 1.5 * remainder { return .claim }
          plateau = nil
        }
      }
      if let end { return end }
      previous = v
      v = combination(1 / beta, next, 0, next)
    }
  }
}

/// √(x² + y²).
private func hypotenuse(_ x: Double, _ y: Double) -> Double { (x * x + y * y).squareRoot() }
