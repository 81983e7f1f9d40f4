import Autodiff

/// One run of an inner solver: where it is, what it has recorded, and why it ended.
///
/// A solver begins the run, and then advances it while it is running:
///
///     var run = InnerRun("Method", problem, stopping)
///     var f = try run.residual(at: run.point)
///     run.begin(residual: norm(f))
///     while run.isRunning {
///       …
///       run.advance(to: x, residual: norm(f))
///     }
///     return run.solution
struct InnerRun {
  let problem: InnerProblem
  let threshold: Double
  /// The last point with a finite residual; the start before there is one.
  private(set) var point: Tensor
  /// ‖F‖ at the point.
  private(set) var residual = Double.nan
  private(set) var outcome: SolverStatus.Outcome?
  private(set) var evaluations = 0

  private let method: String
  private let maximumIterations: Int
  private var history: [Double] = []
  private var lowestResidual = Double.infinity
  private var fruitlessIterations = 0

  /// Iterations that may pass without progress before the run counts as stalled.
  private let patience: Int
  /// Whether as many as half of the iterations so far may, if that is more.
  private let isPatienceGrowing: Bool

  init(
    _ method: String, _ problem: InnerProblem, _ stopping: StoppingRule, patience: Int = 10,
    isPatienceGrowing: Bool = false
  ) {
    self.method = method
    self.patience = patience
    self.isPatienceGrowing = isPatienceGrowing
    self.problem = problem
    point = problem.start
    threshold = stopping.threshold(scale: problem.scale)
    maximumIterations = stopping.maximumIterations
  }

  var isRunning: Bool { outcome == nil }

  /// The point with the evidence for it.
  var solution: InnerSolution {
    InnerSolution(
      value: point,
      status: SolverStatus(
        method: method, outcome: outcome ?? .stalled, history: history, threshold: threshold,
        scale: problem.scale, evaluations: evaluations))
  }

  /// F(x), counted.
  mutating func residual(at x: Tensor) throws(BilevelError) -> Tensor {
    evaluations += 1
    return try problem.residual(x)
  }

  /// f(x) and ∇f(x), counted.
  mutating func objective(at x: Tensor) throws(BilevelError) -> ObjectivePoint {
    evaluations += 1
    let (value, gradient) = try problem.valueAndGradient(x)
    return ObjectivePoint(x: x, value: value, gradient: gradient)
  }

  /// Counts evaluations that were made elsewhere.
  mutating func count(evaluations count: Int) { evaluations += count }

  /// Records the residual at the start.
  mutating func begin(residual: Double) {
    history.append(residual)
    self.residual = residual
    lowestResidual = residual
    conclude()
  }

  /// Records an iteration; a point that is not finite ends the run at the point before it.
  ///
  /// - Parameters:
  ///   - number: The iteration as progress reports call it, where it is not the next one.
  ///   - isProgress: Whether the iteration is known to have been of use, such as by lowering the
  ///     objective by more than rounding. As many iterations in a row as the run has patience that
  ///     neither are nor reach a new lowest residual end it as stalled.
  mutating func advance(
    to x: Tensor, residual: Double, number: Int? = nil, isProgress: Bool = true
  ) {
    guard residual.isFinite else {
      outcome = .notFinite
      return
    }
    point = x
    self.residual = residual
    history.append(residual)
    fruitlessIterations = isProgress || residual < lowestResidual ? 0 : fruitlessIterations + 1
    lowestResidual = min(lowestResidual, residual)
    problem.progress?(number ?? history.count - 1, residual)
    conclude()
  }

  /// Ends a run whose residual is no larger than its rounding errors, once that is suspected.
  ///
  /// A fruitless stretch alone does not tell the end of what working precision allows from a
  /// badly conditioned problem, on which the residual rises and falls for long. The rounding error
  /// of the residual does: it is about how much F changes with the last bit of each unknown. That
  /// costs one F, and is asked for after 8, 16, 32, … fruitless iterations.
  ///
  /// - Parameter current: F at the present point.
  mutating func endAtRoundingFloor(_ current: Tensor) throws(BilevelError) {
    let count = fruitlessIterations
    guard isRunning, count >= 8, count & (count - 1) == 0 else { return }
    var generator = PhiloxGenerator(seed: UInt64(count))
    let signs = sign(normalVector(like: point, using: &generator))
    let nearby = point + point.scalarType.ulpOfOne * signs * point
    let rounding = norm(try residual(at: nearby) - current)
    // Iterates hover within a small multiple of their rounding errors.
    if residual <= 8 * rounding { end(.stalled) }
  }

  /// Ends the run at the present point.
  mutating func end(_ outcome: SolverStatus.Outcome) {
    self.outcome = outcome == .stalled && isCarriedOff ? .notFinite : outcome
  }

  /// Whether the residual has grown by half of the digits of the scalar type.
  ///
  /// A run that can get no further there is not near a solution. It has followed an objective that
  /// is unbounded below to where the unknowns are too large for anything else to be resolved.
  private var isCarriedOff: Bool {
    residual > lowestResidual / point.scalarType.ulpOfOne.squareRoot()
  }

  private mutating func conclude() {
    if !residual.isFinite {
      outcome = .notFinite
    } else if residual <= threshold {
      outcome = .converged
    } else if history.count > maximumIterations {
      outcome = .iterationLimit
    } else if fruitlessIterations >= max(patience, isPatienceGrowing ? history.count / 2 : 0) {
      end(.stalled)
    }
  }
}

/// A point with an objective's value and gradient there.
struct ObjectivePoint {
  let x: Tensor
  let value: Double
  let gradient: Tensor
  /// ‖∇f‖, or NaN where the value is not finite.
  let residual: Double

  init(x: Tensor, value: Double, gradient: Tensor) {
    self.x = x
    self.value = value
    self.gradient = gradient
    residual = value.isFinite ? norm(gradient) : .nan
  }

  /// How much of a difference of objective values near here may be rounding.
  var resolution: Double { 64 * gradient.scalarType.ulpOfOne * abs(value) }
}

extension InnerProblem {
  /// Stops where a solver was given a problem of a kind it is not for.
  func require(_ kinds: Set<Kind>, for solver: String) {
    guard kinds.contains(kind) else {
      let (name, solvers) =
        switch kind {
        case .minimum: ("minimum", "LBFGS, NewtonCG or GradientDescent")
        case .leastSquares: ("least-squares problem", "LevenbergMarquardt, LBFGS or NewtonCG")
        case .root: ("root", "Newton")
        case .fixedPoint: ("fixed point", "AndersonAcceleration, FixedPointIteration or Newton")
        }
      stop(solver, "it does not apply to a problem that asks for a \(name). Use \(solvers)")
    }
  }
}

extension Set<InnerProblem.Kind> {
  /// The problems that have an objective.
  static var minima: Self { [.minimum, .leastSquares] }
}
