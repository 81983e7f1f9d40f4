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
    options = KrylovOptions(
      tolerance: tolerance, maximumIterations: maximumIterations, for: "NormalConjugateGradient")
  }

  public func solve(_ system: LinearSystem) throws(SolverError) -> LinearSolution {
    try LinearIteration.solve(system, options, "NormalConjugateGradient", cycle: cycle)
  }

  private func cycle(
    _ run: inout LinearIteration
  ) throws(SolverError) -> LinearIteration.CycleEnd {
    var size = run.residualNorm
    var steps = ConjugateGradientSteps(
      run.residual, from: run.x, along: try run.adjointProduct(run.residual))
    var largest = 0.0
    while true {
      let image = try run.product(steps.direction)
      let curvature = inner(image, image)
      guard curvature.isFinite, steps.square.isFinite else { return .failure(.notFinite) }
      // Aᵀr = 0 to rounding: the residual is the least there is.
      let length = inner(steps.direction, steps.direction)
      largest = max(largest, length > 0 ? (curvature / length).squareRoot() : 0)
      guard curvature > 0, steps.square.squareRoot() > run.epsilon * largest * size else {
        return run.note(size) ?? .claim
      }
      _ = steps.move(curvature: curvature, image: image)
      size = norm(steps.residual)
      run.offer(steps.x, size)
      if let end = run.note(size) { return end }
      let z = try run.adjointProduct(steps.residual)
      steps.turn(to: z, square: inner(z, z))
    }
  }
}
