import Autodiff

/// Newton's method for F(x) = 0.
///
///     x ← x − α δ,  F′(x) δ = F(x)
///
/// α is 1, or smaller until ‖F‖ falls. Convergence is quadratic where F′ is invertible at the
/// solution. For roots and fixed points (F = x − T(x)) of any kind; for minima it finds a stationary
/// point, so that `NewtonCG` is safer far from one.
///
/// An iteration costs one trace of F, the linear solve, and one F on most steps. Systems are solved
/// to the linear solver's tolerance, or where it has none as accurately as the distance from the
/// solution deserves (Eisenstat and Walker). A direction that is merely inaccurate is tried; a
/// system that is singular, refused or indefinite ends the solve with that outcome.
///
/// Dennis and Schnabel, Numerical Methods for Unconstrained Optimization and Nonlinear Equations
/// (1996), chapter 6; Kelley, Solving Nonlinear Equations with Newton's Method (2003).
public struct Newton: InnerSolver {
  /// The solver of the linear systems.
  public let linearSolver: any LinearSolver
  /// When to stop.
  public let stopping: StoppingRule

  /// Newton's method.
  public init(
    linearSolver: any LinearSolver = DenseLU(),
    stopping: StoppingRule = StoppingRule(maximumIterations: 100)
  ) {
    self.linearSolver = linearSolver
    self.stopping = stopping
  }

  public func solve(_ problem: InnerProblem) throws(SolverError) -> InnerSolution {
    var run = InnerRun("Newton", problem, stopping)
    var forcing = ForcingTerm()
    var f = try run.residual(at: run.point)
    try run.begin(f)
    while run.isRunning {
      guard let direction = try direction(&run, f, forcing.next(run)) else { break }
      guard let next = try search(&run, direction) else { break }
      f = next
    }
    return run.solution
  }

  /// δ, or nil where the run has ended for want of one.
  private func direction(
    _ run: inout InnerRun, _ f: Tensor, _ forcing: Double
  ) throws(SolverError) -> Tensor? {
    let jacobian = try run.problem.jacobian(at: run.point)
    let solution = try linearSolver.solve(LinearSystem(jacobian, f, tolerance: forcing))
    run.count(evaluations: jacobian.productCount)
    switch solution.status.outcome {
    case .converged, .iterationLimit, .stalled, .inaccurate: return solution.value
    case .notFinite, .degenerate, .indefinite, .singular, .notSymmetric, .notContractive:
      try run.end(solution.status.outcome)
      return nil
    }
  }

  /// Advances along −δ; returns F there, or nil where no step lowers ‖F‖.
  private func search(
    _ run: inout InnerRun, _ direction: Tensor
  ) throws(SolverError) -> Tensor? {
    let (x, start) = (run.point, run.residual)
    var step = 1.0
    var isFinite = false
    while step > 1e-10 {
      let next = x - step * direction
      let f = try run.residual(at: next)
      let residual = norm(f)
      if residual <= (1 - 1e-4 * step) * start {
        try run.advance(to: next, f, size: residual)
        return f
      }
      isFinite = isFinite || residual.isFinite
      // The minimum of the parabola through ‖F‖² at both ends with the slope −2‖F‖² of an exact
      // direction.
      let ratio = residual / start
      let prediction = step * step / (ratio * ratio + 2 * step - 1)
      step = residual.isFinite ? min(max(prediction, 0.1 * step), 0.5 * step) : 0.1 * step
    }
    try run.end(isFinite ? .stalled : .notFinite)
    return nil
  }
}
