import Autodiff
import Neural

/// Adam on mini-batches, with the full residual as the judge.
///
///     x ← x − ηₜ m̂ₜ / (√v̂ₜ + ε),  ηₜ = η d^(t/n)
///
/// m̂ and v̂ average the gradients of `batchObjective` at step t and their squares (see `Adam`); d is
/// the factor by which the learning rate has fallen after all n steps. The problem chooses the batch
/// from the number of the step, so that a solve is repeatable. Without batches the objective is used.
///
/// For sums over so many samples that one full gradient is dear and a rough solution will do, such
/// as networks. A step costs one gradient on a batch, a check one full gradient F. Only checks
/// decide convergence, and only they are in the status: one iteration there is `checkInterval`
/// steps. The limit of `stopping` counts steps.
///
/// Kingma and Ba, Adam: A method for stochastic optimization (2015); for the average, Shamir and
/// Zhang, Stochastic gradient descent for non-smooth optimization (2013).
public struct StochasticAdam: InnerSolver {
  /// η, the size of the first steps.
  public let learningRate: Double
  /// d, the last learning rate relative to the first.
  public let decay: Double
  /// The number of steps between checks of the full residual.
  public let checkInterval: Int
  /// Whether the solution is an average of the steps' points, with weights that grow like t³,
  /// which removes most of the noise of the batches.
  public let averagesIterates: Bool
  /// When to stop; iterations are steps.
  public let stopping: StoppingRule

  /// Adam.
  ///
  /// - Precondition: The learning rate is positive, the decay above 0 and at most 1, and the
  ///   interval positive.
  public init(
    learningRate: Double = 1e-3, decay: Double = 1, checkInterval: Int = 100,
    averagesIterates: Bool = false,
    stopping: StoppingRule = StoppingRule(accuracy: 1e-3, maximumIterations: 10_000)
  ) {
    guard learningRate > 0, learningRate.isFinite, decay > 0, decay <= 1, checkInterval > 0 else {
      stop(
        "StochasticAdam",
        """
        the learning rate and the check interval must be positive and the decay above 0 and at \
        most 1, found \(learningRate), \(checkInterval) and \(decay)
        """)
    }
    self.learningRate = learningRate
    self.decay = decay
    self.checkInterval = checkInterval
    self.averagesIterates = averagesIterates
    self.stopping = stopping
  }

  public func solve(_ problem: InnerProblem) throws(SolverError) -> InnerSolution {
    problem.require(.minima, for: "StochasticAdam")
    let steps = stopping.maximumIterations
    var checks = stopping
    checks.maximumIterations = (steps + checkInterval - 1) / checkInterval
    var run = InnerRun("StochasticAdam", problem, checks)
    try run.begin(try run.residual(at: run.point))
    var (x, average) = (run.point, run.point)
    var optimizer = Adam(learningRate: learningRate)
    var step = 0
    while run.isRunning {
      for _ in 0..<min(checkInterval, steps - step) {
        let slope = try gradient(of: problem, at: x, step: step)
        optimizer.learningRate = learningRate * power(decay, Double(step) / Double(steps))
        optimizer.update(&x, along: slope)
        step += 1
        if averagesIterates { average += (4 / Double(step + 3)) * (x - average) }
      }
      let candidate = averagesIterates ? average : x
      try run.advance(to: candidate, try run.residual(at: candidate), number: step)
    }
    run.count(evaluations: step)
    return run.solution
  }

  private func gradient(
    of problem: InnerProblem, at x: Tensor, step: Int
  ) throws(SolverError) -> Tensor {
    guard let batchObjective = problem.batchObjective else { return try problem.residual(x) }
    return try Autodiff.gradient(at: x, unused: .zero) { (x: Tensor) throws(SolverError) in
      try batchObjective(x, step)
    }
  }
}

/// bᵃ of numbers.
private func power(_ base: Double, _ exponent: Double) -> Double {
  base == 1 ? 1 : pow(Tensor(base), exponent).scalar
}
