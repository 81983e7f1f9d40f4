import Autodiff

/// Gradient descent.
///
///     x ← x − η ∇f(x)
///
/// For baselines, for cheap steps from warm starts, and where nothing better is known about f. On
/// an objective with curvatures between μ and L the step 2/(L + μ) contracts the error by
/// (κ − 1)/(κ + 1) per iteration, κ = L/μ; `AcceleratedGradientDescent` needs √κ instead of κ.
///
/// A fixed step costs one gradient per iteration and never reads the objective. Backtracking asks
/// for f(x₊) ≤ f(x) − 0.3 η‖∇f‖², by slopes once the objective no longer resolves that, and costs
/// one value with gradient per trial.
///
/// Cauchy, Méthode générale pour la résolution des systèmes d'équations simultanées (1847); Armijo,
/// Minimization of functions having Lipschitz continuous first partial derivatives (1966).
public struct GradientDescent: InnerSolver {
  /// How steps are chosen.
  public let step: StepRule
  /// When to stop.
  public let stopping: StoppingRule

  /// Gradient descent to a tolerance.
  ///
  /// - Precondition: Steps are positive.
  public init(step: StepRule = .backtracking(), stopping: StoppingRule = StoppingRule()) {
    step.validate("GradientDescent")
    self.step = step
    self.stopping = stopping
  }

  /// A number of steps, whatever the residual; fewer only where a gradient is exactly zero or not
  /// finite.
  ///
  /// The status reports the residual at the last point, so that n steps cost n + 1 gradients.
  public init(step: StepRule, iterations: Int) {
    self.init(
      step: step, stopping: StoppingRule(relative: 0, absolute: 0, maximumIterations: iterations))
  }

  public func solve(_ problem: InnerProblem) throws(SolverError) -> InnerSolution {
    problem.require(.minima, for: "GradientDescent")
    // Growing steps raise ‖∇f‖ now and then, for longer the worse the condition.
    var run = InnerRun("GradientDescent", problem, stopping, isPatienceGrowing: true)
    switch step {
    case .fixed(let step): try run.iterate(step: step, stopsWithoutTarget: false)
    case .backtracking(let initial, let shrinkage, let growth):
      try descend(&run, initial, shrinkage, growth)
    }
    return run.solution
  }

  private func descend(
    _ run: inout InnerRun, _ initial: Double, _ shrinkage: Double, _ growth: Double
  ) throws(SolverError) {
    var search = LineSearch.backtracking(shrinkage: shrinkage)
    var current = try run.objective(at: run.point)
    try run.begin(current.gradient, size: current.residual)
    var step = initial
    while run.isRunning {
      let next = try search.advance(&run, from: current, along: -current.gradient, step: step)
      guard let next else {
        try run.end(search.failure)
        break
      }
      step = next.step == step ? growth * step : next.step
      current = next.end
    }
  }
}
