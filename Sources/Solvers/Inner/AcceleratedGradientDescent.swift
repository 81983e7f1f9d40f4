import Autodiff

/// Nesterov's accelerated gradient descent with adaptive restart.
///
///     x₊ = y − η ∇f(y),  y₊ = x₊ + β (x₊ − x)
///
/// The momentum β grows towards 1, β = (t − 1)/t₊ with t₊ = (1 + √(1 + 4t²))/2, and starts again
/// from 0 whenever it points uphill, ∇f(y)ᵀ(x₊ − x) > 0, which gives about √κ iterations per digit
/// without knowing the condition number κ. Where κ is known, β = (√κ − 1)/(√κ + 1) throughout.
///
/// For smooth problems whose steps must stay cheap and whose condition is too bad for
/// `GradientDescent`; `LBFGS` is usually faster. The solution is the last y, at which the gradient
/// is known. A fixed step costs one gradient per iteration, backtracking one value with gradient
/// and a value per trial.
///
/// Nesterov, A method of solving a convex programming problem with convergence rate O(1/k²) (1983);
/// Beck and Teboulle, A fast iterative shrinkage-thresholding algorithm (2009); O'Donoghue and
/// Candès, Adaptive restart for accelerated gradient schemes (2015).
public struct AcceleratedGradientDescent: InnerSolver {
  /// How steps are chosen; steps never grow.
  public let step: StepRule
  /// κ, the ratio of the largest to the smallest curvature, where it is known.
  public let condition: Double?
  /// When to stop.
  public let stopping: StoppingRule

  /// Accelerated gradient descent.
  ///
  /// - Precondition: Steps are positive, a condition is at least 1.
  public init(
    step: StepRule = .backtracking(), condition: Double? = nil,
    stopping: StoppingRule = StoppingRule()
  ) {
    step.validate("AcceleratedGradientDescent")
    if let condition, !(condition >= 1 && condition.isFinite) {
      stop("AcceleratedGradientDescent", "a condition is at least 1, found \(condition)")
    }
    self.step = step
    self.condition = condition
    self.stopping = stopping
  }

  public func solve(_ problem: InnerProblem) throws(SolverError) -> InnerSolution {
    problem.require(.minima, for: "AcceleratedGradientDescent")
    // Momentum overshoots for about √κ iterations, which are not to be mistaken for a stall.
    var run = InnerRun("AcceleratedGradientDescent", problem, stopping, patience: 1000)
    var rule = GradientStep(step)
    var (x, momentum) = (problem.start, Momentum(condition: condition))
    var gradient = try rule.gradient(&run, at: x)
    try run.begin(gradient)
    while run.isRunning {
      let next = try rule.descend(&run, gradient)
      guard let next else { break }
      let change = next - x
      let y = next + momentum.next(isUphill: inner(gradient, change) > 0) * change
      x = next
      let last = (point: run.point, residual: run.residual)
      gradient = try rule.gradient(&run, at: y)
      try run.advance(to: y, gradient, isProgress: rule.isProgress)
      if run.hasTarget { try run.endIfUnmoved(from: last) }
    }
    return run.solution
  }
}

/// The sequence β.
private struct Momentum {
  private let constant: Double?
  private var t = 1.0

  init(condition: Double?) {
    constant = condition.map { ($0.squareRoot() - 1) / ($0.squareRoot() + 1) }
  }

  mutating func next(isUphill: Bool) -> Double {
    if let constant { return constant }
    if isUphill {
      t = 1
      return 0
    }
    let last = t
    t = (1 + (1 + 4 * t * t).squareRoot()) / 2
    return (last - 1) / t
  }
}

/// A gradient step from the run's point.
private struct GradientStep {
  private var step: Double
  /// The factor of backtracking; nil for a fixed step, which needs no objective.
  private let shrinkage: Double?
  private var value = 0.0
  private var largestValue = 0.0
  private var lowestValue = Double.infinity
  /// Whether the last gradient came with a new lowest value of the objective; true if unknown.
  private(set) var isProgress = true

  init(_ rule: StepRule) {
    switch rule {
    case .fixed(let step): (self.step, shrinkage) = (step, nil)
    case .backtracking(let initial, let shrinkage, _):
      (step, self.shrinkage) = (initial, shrinkage)
    }
  }

  /// ∇f(y).
  mutating func gradient(_ run: inout InnerRun, at y: Tensor) throws(SolverError) -> Tensor {
    guard shrinkage != nil else { return try run.residual(at: y) }
    let point = try run.objective(at: y)
    value = point.value
    isProgress = value < lowestValue - point.resolution
    lowestValue = min(value, lowestValue)
    largestValue = max(abs(value), largestValue)
    return point.gradient
  }

  /// y − η ∇f(y) with f(y − η ∇f(y)) ≤ f(y) − ½ η‖∇f(y)‖²; nil where the run has ended.
  mutating func descend(
    _ run: inout InnerRun, _ gradient: Tensor
  ) throws(SolverError) -> Tensor? {
    guard let shrinkage, let objective = run.problem.formulation.objective else {
      return run.point - step * gradient
    }
    let ulp = gradient.scalarType.ulpOfOne
    let (square, length) = (run.residual * run.residual, norm(run.point))
    var isFinite = true
    while step * run.residual > ulp * length {
      let x = run.point - step * gradient
      let decrease = 0.5 * step * square
      // Below rounding the comparison means nothing, and the step that has worked so far is kept.
      if decrease <= 64 * ulp * abs(value) { return x }
      let end = try objective(x).scalar
      run.count(evaluations: 1)
      if end <= value - decrease { return x }
      isFinite = end.isFinite
      // The rounding of an objective that is a small difference of large terms is unknown. What
      // may be rounding is decided by the slope at the end, which for a quadratic says the same.
      if abs(end - value) <= ulp.squareRoot() * largestValue,
        inner(try run.residual(at: x), gradient) >= 0
      {
        return x
      }
      step *= shrinkage
    }
    try run.end(isFinite ? .stalled : .notFinite)
    return nil
  }
}
