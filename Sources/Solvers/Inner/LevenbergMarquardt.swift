import Autodiff

/// The Levenberg–Marquardt method for f = ½‖r(x)‖².
///
///     x ← x + δ,  (JᵀJ + μ D²) δ = −Jᵀ r
///
/// The damping μ follows Nielsen: it falls where the linearised residuals predict the decrease well,
/// down to Gauss–Newton steps, and rises until a step decreases f. Convergence is quadratic where
/// the residuals vanish at the solution and linear with a small factor where they are small.
///
/// For nonlinear fits. Up to `denseLimit` unknowns, J is formed column by column and D holds its
/// largest column norms so far, which makes the method independent of the units of the unknowns.
/// Above, J is used through products by conjugate gradients on the least-squares problem (CGLS) and
/// D = I. An iteration costs one trace of r, then n products and a Cholesky factorisation per trial,
/// or two products per inner iteration, and r at each trial.
///
/// Levenberg, A method for the solution of certain non-linear problems in least squares (1944);
/// Marquardt, An algorithm for least-squares estimation of nonlinear parameters (1963); Moré, The
/// Levenberg–Marquardt algorithm (1978); Nielsen, Damping parameter in Marquardt's method (1999).
public struct LevenbergMarquardt: InnerSolver {
  /// μ at the start, relative to the squared size of the Jacobian.
  public let initialDamping: Double
  /// The most unknowns for which the Jacobian is formed.
  public let denseLimit: Int
  /// When to stop.
  public let stopping: StoppingRule

  /// Levenberg–Marquardt.
  ///
  /// - Precondition: The initial damping is positive, the limit is not negative.
  public init(
    initialDamping: Double = 1e-3, denseLimit: Int = 200,
    stopping: StoppingRule = StoppingRule(maximumIterations: 200)
  ) {
    guard initialDamping > 0, initialDamping.isFinite else {
      stop("LevenbergMarquardt", "the damping must be positive, found \(initialDamping)")
    }
    guard denseLimit >= 0 else {
      stop("LevenbergMarquardt", "the dense limit must not be negative, found \(denseLimit)")
    }
    self.initialDamping = initialDamping
    self.denseLimit = denseLimit
    self.stopping = stopping
  }

  public func solve(_ problem: InnerProblem) throws(SolverError) -> InnerSolution {
    problem.require([.leastSquares], for: "LevenbergMarquardt")
    guard let residuals = problem.formulation.residuals else {
      stop("LevenbergMarquardt", "the problem has an objective but no residuals. Use LBFGS")
    }
    var run = InnerRun("LevenbergMarquardt", problem, stopping)
    let isDense = run.point.elementCount <= denseLimit
    var current = try LinearizedResiduals(residuals, at: run.point, isDense: isDense, after: nil)
    run.count(evaluations: 1)
    try run.begin(current.gradient)
    var damping = Damping()
    var forcing = ForcingTerm()
    while run.isRunning {
      if damping.value == 0 { damping.value = initialDamping * (try current.squaredSize()) }
      let tolerance = forcing.next(run)
      guard let next = try step(&run, residuals, current, &damping, tolerance) else { break }
      current = next
    }
    return run.solution
  }

  /// Raises the damping until a step decreases f; nil where none does and the run has ended.
  private func step(
    _ run: inout InnerRun, _ residuals: InnerProblem.VectorFunction,
    _ current: LinearizedResiduals, _ damping: inout Damping, _ tolerance: Double
  ) throws(SolverError) -> LinearizedResiduals? {
    let (x, r) = (run.point, current.residuals)
    let ulp = x.scalarType.ulpOfOne
    let resolution = 500 * ulp * inner(r, r)
    var isFinite = true
    while damping.value.isFinite {
      guard
        let trial = try current.step(damping: damping.value, tolerance: tolerance),
        trial.predictedDecrease > 0
      else {
        damping.raise()
        continue
      }
      guard norm(trial.step) > 0.1 * ulp * norm(x) else { break }
      let next = x + trial.step
      let nextResiduals = try residuals(next).flattened()
      run.count(evaluations: 1)
      // ½‖r‖² − ½‖r₊‖² without the cancellation of two nearly equal sums.
      let decrease = 0.5 * inner(r - nextResiduals, r + nextResiduals)
      let isResolved = trial.predictedDecrease > resolution
      isFinite = decrease.isFinite
      if isFinite, !isResolved || decrease > 1e-3 * trial.predictedDecrease {
        let end = try LinearizedResiduals(
          residuals, at: next, isDense: current.isDense, after: current)
        run.count(evaluations: 1)
        let residual = norm(end.gradient)
        // Where a decrease is lost in rounding, the gradient decides.
        if isResolved || residual < run.residual {
          damping.lower(gain: isResolved ? decrease / trial.predictedDecrease : 1)
          try run.advance(to: next, end.gradient, size: residual)
          return end
        }
      }
      damping.raise()
    }
    try run.end(isFinite ? .stalled : .notFinite)
    return nil
  }
}

/// Nielsen's rule for μ.
private struct Damping {
  /// μ; zero until the first Jacobian is known.
  var value = 0.0
  private var growth = 2.0

  /// After a step that decreased f by a part of what was predicted.
  mutating func lower(gain: Double) {
    let t = 2 * gain - 1
    value *= max(1 / 3, 1 - t * t * t)
    // Nothing smaller has an effect, and zero would ask for a new start.
    value = max(value, 1e-300)
    growth = 2
  }

  /// After a step that did not.
  mutating func raise() {
    value *= growth
    growth *= 2
  }
}
