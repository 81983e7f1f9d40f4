import Autodiff

/// The fixed-point iteration, damped if asked.
///
///     x ← x − β F(x) = (1 − β) x + β T(x)
///
/// For maps T that contract; the error shrinks by the spectral radius of (1 − β) I + β T′. A damping
/// β < 1 makes maps with eigenvalues below −1 contract. Costs one T per iteration.
/// `AndersonAcceleration` costs the same and needs fewer iterations.
///
/// Banach, Sur les opérations dans les ensembles abstraits (1922); Mann, Mean value methods in
/// iteration (1953).
public struct FixedPointIteration: InnerSolver {
  /// β.
  public let damping: Double
  /// When to stop.
  public let stopping: StoppingRule

  /// x ← (1 − damping) x + damping Φ(x), until the rule is met.
  ///
  /// - Precondition: The damping is positive and at most 1.
  public init(damping: Double = 1, stopping: StoppingRule = StoppingRule(maximumIterations: 10_000))
  {
    guard damping > 0, damping <= 1 else {
      stop("FixedPointIteration", "the damping must be above 0 and at most 1, found \(damping)")
    }
    self.damping = damping
    self.stopping = stopping
  }

  public func solve(_ problem: InnerProblem) throws(SolverError) -> InnerSolution {
    problem.require([.fixedPoint], for: "FixedPointIteration")
    var run = InnerRun("FixedPointIteration", problem, stopping)
    try run.iterate(step: damping, stopsWithoutTarget: true)
    return run.solution
  }
}
