import Autodiff

/// The stabilised biconjugate gradient method for A x = b with any regular A.
///
/// Two products, four inner products and a fixed memory of a few vectors per iteration: the choice
/// where `GMRES` would need too many vectors. Nothing is minimised, so the residual may jump; the best
/// iterate is returned. Where the method breaks down (its shadow residual becomes orthogonal to what
/// it divides by) it starts anew at the best iterate with a random shadow residual, and reports
/// `stalled` where that does not help, as for matrices with dominant imaginary eigenvalues.
///
/// Van der Vorst, Bi-CGSTAB: a fast and smoothly converging variant of Bi-CG (1992).
public struct BiCGStab: KrylovSolver {
  public let options: KrylovOptions

  /// Iterations without memory of former directions, for any matrix.
  ///
  /// - Parameters:
  ///   - tolerance: The relative residual; nil is what the system asks for.
  ///   - maximumIterations: At least 1; nil is 10 n.
  public init(tolerance: Double? = nil, maximumIterations: Int? = nil) {
    options = KrylovOptions(
      tolerance: tolerance, maximumIterations: maximumIterations, for: "BiCGStab")
  }

  public func solve(_ system: LinearSystem) throws(SolverError) -> LinearSolution {
    var generator = PhiloxGenerator(seed: 0x4243_4753)
    return try LinearIteration.solve(
      system, options, "BiCGStab", patience: 3
    ) { run throws(SolverError) in try cycle(&run, &generator) }
  }

  private func cycle(
    _ run: inout LinearIteration, _ generator: inout PhiloxGenerator
  ) throws(SolverError) -> LinearIteration.CycleEnd {
    var (x, r) = (run.x, run.residual)
    let shadow = run.idleCycles == 0 ? r : normalVector(like: r, using: &generator)
    let shadowNorm = norm(shadow)
    var p = r
    var rho = inner(shadow, r)
    var size = run.residualNorm
    while true {
      guard abs(rho) > run.epsilon * shadowNorm * size else { return .restart }
      let ap = try run.product(p)
      let projection = inner(shadow, ap)
      let apNorm = norm(ap)
      guard apNorm.isFinite else { return .failure(.notFinite) }
      guard abs(projection) > run.epsilon * shadowNorm * apNorm else {
        return run.note(size) ?? .restart
      }
      let alpha = rho / projection
      let s = combination(1, r, -alpha, ap)
      let half = combination(1, x, alpha, p)
      let t = try run.product(s)
      // ω minimises ‖s − ω t‖; t = 0 where the half step already arrived.
      let tt = inner(t, t)
      let omega = tt > 0 ? inner(t, s) / tt : 0
      x = combination(1, half, omega, s)
      r = combination(1, s, -omega, t)
      size = norm(r)
      run.offer(x, size)
      if let end = run.note(size) { return end }
      guard abs(omega) * tt.squareRoot() > run.epsilon * norm(s) else { return .restart }
      let next = inner(shadow, r)
      p = combination(1, r, next / rho * (alpha / omega), p, (-next / rho * alpha, ap))
      rho = next
    }
  }
}
