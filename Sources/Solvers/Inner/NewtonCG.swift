import Autodiff

/// Newton's method for minima with directions from truncated conjugate gradients.
///
///     x ← x + α d,  H d ≈ −∇f(x)
///
/// The system is solved as accurately as the distance from the minimum deserves (Eisenstat and
/// Walker), so that convergence is quadratic and early directions are cheap. Where conjugate
/// gradients meet a direction p with pᵀ H p ≤ 0, d leads along it, away from saddle points; α
/// satisfies Wolfe conditions that hold down to rounding.
///
/// For smooth minima of any size, most of all badly conditioned ones. An iteration costs one trace
/// of the gradient, a Hessian product (one pass over that trace) per inner iteration, and one value
/// with gradient on most steps.
///
/// Dembo and Steihaug, Truncated-Newton algorithms for large-scale unconstrained optimization
/// (1983); Nocedal and Wright, Numerical Optimization (2006), section 7.1.
public struct NewtonCG: InnerSolver {
  /// When to stop.
  public let stopping: StoppingRule
  /// The most conjugate-gradient iterations per direction; nil is ten times the number of unknowns,
  /// because rounding makes badly conditioned systems take more than one product per unknown.
  public let maximumProducts: Int?

  /// Truncated Newton.
  ///
  /// - Precondition: A limit on products is positive.
  public init(
    stopping: StoppingRule = StoppingRule(maximumIterations: 200), maximumProducts: Int? = nil
  ) {
    if let maximumProducts, maximumProducts < 1 {
      stop("NewtonCG", "a direction needs at least one product, found \(maximumProducts)")
    }
    self.stopping = stopping
    self.maximumProducts = maximumProducts
  }

  public func solve(_ problem: InnerProblem) throws(SolverError) -> InnerSolution {
    problem.require(.minima, for: "NewtonCG")
    // A truncated direction may raise ‖∇f‖ several times in a row. The end of what rounding allows
    // is noticed before.
    var run = InnerRun("NewtonCG", problem, stopping, patience: 30)
    var search = LineSearch.bracketing()
    var forcing = ForcingTerm()
    var current = try run.objective(at: run.point)
    try run.begin(current.gradient, size: current.residual)
    while run.isRunning {
      let direction = try direction(&run, current.gradient, tolerance: forcing.next(run))
      guard inner(current.gradient, direction) < 0 else {
        // Also where a Hessian product is not finite.
        try run.end(direction.isFinite ? .stalled : .notFinite)
        break
      }
      let next = try search.advance(&run, from: current, along: direction, step: 1)
      guard let next else {
        try run.end(search.failure)
        break
      }
      current = next.end
    }
    return run.solution
  }

  /// H d ≈ −g by conjugate gradients from zero.
  private func direction(
    _ run: inout InnerRun, _ gradient: Tensor, tolerance: Double
  ) throws(SolverError) -> Tensor {
    let hessian = try run.problem.jacobian(at: run.point)
    defer { run.count(evaluations: hessian.productCount) }
    var steps = ConjugateGradientSteps(-gradient)
    let goal = tolerance * tolerance * steps.square
    for _ in 0..<(maximumProducts ?? 10 * gradient.elementCount) {
      let (d, p) = (steps.x, steps.direction)
      if try steps.advance(hessian) != nil {
        // p descends as d does. It adds a step as long as d, and is the gradient if there is no d.
        let length = norm(d)
        return length > 0 ? d + (length / norm(p)) * p : p
      }
      if !(steps.square > goal) { break }
    }
    return steps.x
  }
}
