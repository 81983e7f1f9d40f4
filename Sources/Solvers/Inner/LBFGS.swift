import Autodiff

/// The limited-memory BFGS method.
///
///     x ← x − α H ∇f(x)
///
/// H approximates the inverse Hessian from the last m pairs s = x₊ − x and y = ∇f(x₊) − ∇f(x),
/// starting from the multiple (sᵀy / yᵀy) I of the identity; α satisfies Wolfe conditions written so
/// that they hold down to rounding (Hager and Zhang).
///
/// The default for smooth minima: superlinear in practice, and nothing to tune. An iteration costs
/// one value with gradient on most steps, and 4m vector operations; memory is 2m vectors. Where
/// Hessian products are cheap and the problem is badly conditioned, `NewtonCG` needs fewer passes.
///
/// Nocedal, Updating quasi-Newton matrices with limited storage (1980); Liu and Nocedal, On the
/// limited memory BFGS method for large scale optimization (1989).
public struct LBFGS: InnerSolver {
  /// m, the number of pairs kept.
  public let memory: Int
  /// The slope that may remain after a line search, relative to the slope before.
  public let curvature: Double
  /// When to stop.
  public let stopping: StoppingRule

  /// L-BFGS.
  ///
  /// - Parameter curvature: 0.9 spends one gradient on most iterations; 0.1 searches almost
  ///   exactly, which makes iterations fewer and dearer.
  /// - Precondition: The memory is positive; the curvature is between 0.1 and 1.
  public init(memory: Int = 10, curvature: Double = 0.9, stopping: StoppingRule = StoppingRule()) {
    guard memory > 0 else { stop("LBFGS", "the memory must be positive, found \(memory)") }
    guard curvature >= 0.1, curvature < 1 else {
      stop("LBFGS", "the remaining slope must be from 0.1 to below 1, found \(curvature)")
    }
    self.memory = memory
    self.curvature = curvature
    self.stopping = stopping
  }

  public func solve(_ problem: InnerProblem) throws(SolverError) -> InnerSolution {
    try solveKeepingPairs(problem).solution
  }

  /// The solution, and the curvature pairs of the last iterations.
  package func solveKeepingPairs(
    _ problem: InnerProblem
  ) throws(SolverError) -> (solution: InnerSolution, pairs: CurvaturePairs) {
    problem.require(.minima, for: "LBFGS")
    // ‖∇f‖ of a badly conditioned problem rises and falls for hundreds of iterations, longer the
    // longer the run. The end of what rounding allows is noticed before.
    var run = InnerRun("LBFGS", problem, stopping, patience: 100, isPatienceGrowing: true)
    var search = LineSearch.bracketing(curvature: curvature)
    var pairs = CurvaturePairs(limit: memory)
    var current = try run.objective(at: run.point)
    try run.begin(current.gradient, size: current.residual)
    while run.isRunning {
      var direction = -pairs.inverseHessianProduct(current.gradient)
      if !(inner(current.gradient, direction) < 0) {
        // Rounding has spoilt the pairs.
        pairs.removeAll()
        direction = -current.gradient
      }
      let step = pairs.isEmpty ? firstStep(current) : 1
      let next = try search.advance(&run, from: current, along: direction, step: step)
      guard let next else {
        // Rounding may have spoilt the pairs in less obvious ways.
        if pairs.isEmpty { try run.end(search.failure) }
        pairs.removeAll()
        continue
      }
      pairs.append(s: next.end.x - current.x, y: next.end.gradient - current.gradient)
      current = next.end
    }
    return (run.solution, pairs)
  }

  /// A first step of one hundredth of the point's size, or of length at most 1 from the origin.
  private func firstStep(_ start: ObjectivePoint) -> Double {
    let size = norm(start.x)
    return (size > 0 ? 0.01 * size : min(1, start.residual)) / start.residual
  }
}
