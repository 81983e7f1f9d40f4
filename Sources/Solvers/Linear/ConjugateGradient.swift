import Autodiff

/// The conjugate gradient method for A x = b with symmetric positive definite A.
///
/// After k iterations x minimises (x − x*)ᵀ A (x − x*) over the Krylov space, and that error is at
/// most 2 ((√κ − 1)/(√κ + 1))ᵏ of the first one, κ the condition number of P⁻¹ A. One product, one
/// application of the preconditioner and five passes over vectors per iteration; memory for a few
/// vectors. It is the method of choice for the Hessian at a minimum.
///
/// An operator that is not symmetric is refused (two products, once per operator), and a direction p
/// with pᵀ A p ≤ 0 ends the solve with `indefinite`, which names the parts of the inner variable it
/// lies in. Hestenes and Stiefel (1952); the preconditioned form is in Saad, Iterative Methods for
/// Sparse Linear Systems (2003), section 9.2.
public struct ConjugateGradient: KrylovSolver {
  public let options: KrylovOptions
  /// P⁻¹, or nil for none.
  public let preconditioner: (any Preconditioner)?

  /// Iterations for a symmetric positive definite matrix.
  ///
  /// - Parameters:
  ///   - tolerance: The relative residual; nil is what the system asks for.
  ///   - maximumIterations: At least 1; nil is 10 n.
  ///   - preconditioner: P⁻¹, symmetric positive definite.
  public init(
    tolerance: Double? = nil, maximumIterations: Int? = nil,
    preconditioner: (any Preconditioner)? = nil
  ) {
    options = KrylovOptions(
      tolerance: tolerance, maximumIterations: maximumIterations, for: "ConjugateGradient")
    self.preconditioner = preconditioner
  }

  public func solve(_ system: LinearSystem) throws(SolverError) -> LinearSolution {
    try LinearIteration.solve(
      system, options, "ConjugateGradient",
      refusing: { () throws(SolverError) in try system.matrix.asymmetryRefusal() }
    ) { run throws(SolverError) in try cycle(&run, system.matrix) }
  }

  private func cycle(
    _ run: inout LinearIteration, _ a: LinearOperator
  ) throws(SolverError) -> LinearIteration.CycleEnd {
    let z = try preconditioned(run.residual, a)
    var steps = ConjugateGradientSteps(
      run.residual, from: run.x, along: z, square: try energy(run.residual, z))
    while true {
      let image = try run.product(steps.direction)
      let curvature = inner(steps.direction, image)
      guard curvature > 0, curvature.isFinite, steps.square.isFinite else {
        return .failure(failure(run, steps.direction, curvature))
      }
      _ = steps.move(curvature: curvature, image: image)
      let claimed = norm(steps.residual)
      // The energy norm of the error falls monotonically; the residual norm need not.
      run.offerNearer(steps.x, claimed)
      if let end = run.note(claimed) { return end }
      let z = try preconditioned(steps.residual, a)
      steps.turn(
        to: z,
        square: preconditioner == nil ? claimed * claimed : try energy(steps.residual, z))
    }
  }

  private func failure(
    _ run: LinearIteration, _ p: Tensor, _ curvature: Double
  ) -> SolverStatus.Outcome {
    let size = inner(p, p)
    guard curvature <= 0, size.isFinite, size > 0 else { return .notFinite }
    return run.indefinite(p, curvature: curvature / size)
  }

  private func preconditioned(_ r: Tensor, _ a: LinearOperator) throws(SolverError) -> Tensor {
    guard let preconditioner else { return r }
    return try preconditioner.apply(r, for: a)
  }

  /// rᵀ P⁻¹ r.
  private func energy(_ r: Tensor, _ z: Tensor) throws(SolverError) -> Double {
    let energy = inner(r, z)
    if preconditioner != nil, energy <= 0 {
      stop(
        "ConjugateGradient",
        """
        the preconditioner is not positive definite: rᵀ P⁻¹ r is \(number(energy)) for a residual r
        """)
    }
    return energy
  }
}
