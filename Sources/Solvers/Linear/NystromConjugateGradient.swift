import Autodiff

/// `ConjugateGradient` with a `NystromPreconditioner`, for spectra that decay.
///
/// `rank` products once per operator, then one product and 4 n · rank operations per iteration. The
/// number of iterations no longer depends on the eigenvalues that the rank covers. Symmetric positive
/// definite A only, with the refusals of `ConjugateGradient`. Frangella, Tropp and Udell, Randomized
/// Nyström preconditioning (2023).
public struct NystromConjugateGradient: LinearSolver {
  public var tolerance: Double? { base.tolerance }
  /// The most iterations; nil is 10 n.
  public var maximumIterations: Int? { base.maximumIterations }
  /// The preconditioner.
  public let preconditioner: NystromPreconditioner
  private let base: ConjugateGradient

  /// The method.
  ///
  /// - Parameters:
  ///   - tolerance: The relative residual; nil is the layer's.
  ///   - maximumIterations: At least 1; nil is 10 n.
  ///   - rank: The rank of the preconditioner, at least 1.
  ///   - damping: The multiple of the identity that A is known to contain; not negative.
  ///   - seed: Of the random vectors of the preconditioner.
  public init(
    tolerance: Double? = nil, maximumIterations: Int? = nil, rank: Int, damping: Double = 0,
    seed: UInt64 = 0
  ) {
    preconditioner = NystromPreconditioner(rank: rank, damping: damping, seed: seed)
    base = ConjugateGradient(
      method: "NystromConjugateGradient", tolerance: tolerance,
      maximumIterations: maximumIterations, preconditioner: preconditioner)
  }

  public func solve(
    _ a: LinearOperator, _ b: Tensor, transposed: Bool, from start: Tensor?, tolerance: Double
  ) throws(SolverError) -> LinearSolution {
    try base.solve(a, b, transposed: transposed, from: start, tolerance: tolerance)
  }
}
