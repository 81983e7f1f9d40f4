import Autodiff

/// One run of an inner solver: where it is, what it has recorded, and why it ended.
///
/// A solver begins the run, and then advances it while it is running:
///
///     var run = InnerRun("Method", problem, stopping)
///     var f = try run.residual(at: run.point)
///     try run.begin(f)
///     while run.isRunning {
///       …
///       try run.advance(to: x, f)
///     }
///     return run.solution
///
/// Without a target of the user's a point ends the run as a solution by its certificate. That is asked
/// for at the start, and then where a step was short (‖s‖ ≤ √τ ‖x‖) and ‖F‖ is below what the last
/// refusal set: a point whose Newton step was k times too long waits for ‖F‖ to fall by 2k.
struct InnerRun {
  let problem: InnerProblem
  /// The last point with a finite residual; the start before there is one.
  private(set) var point: Tensor
  /// ‖F‖ at the point.
  private(set) var residual = Double.nan
  private(set) var outcome: SolverStatus.Outcome?
  private(set) var evaluations = 0

  private let method: String
  private let stopping: StoppingRule
  /// The residual that ends the run as asked for; negative where none does.
  private let statedThreshold: Double
  private var history: [Double] = []
  private var lowestResidual = Double.infinity
  /// Iterations since the last progress, and since the last new lowest residual.
  private var (fruitlessIterations, iterationsAboveLowest) = (0, 0)

  /// F at the point.
  private var current: Tensor
  /// ‖F‖ below which a certificate is asked for again, and the evaluations after which.
  private var (target, resumption) = (Double.infinity, 0)
  private var certificate: SolutionCertificate?
  private var jacobian: LinearOperator?
  /// The point with the lowest residual, where the run keeps it.
  private var best: (point: Tensor, current: Tensor, residual: Double)?
  private let keepsBest: Bool

  /// Iterations that may pass without progress before the run counts as stalled.
  private let patience: Int
  /// Whether as many as half of the iterations so far may, if that is more.
  private let isPatienceGrowing: Bool

  /// - Parameter keepsBest: Whether the solution is the point with the lowest residual, for methods
  ///   whose last one may be worse.
  init(
    _ method: String, _ problem: InnerProblem, _ stopping: StoppingRule, patience: Int = 10,
    isPatienceGrowing: Bool = false, keepsBest: Bool = false
  ) {
    self.method = method
    self.patience = patience
    self.isPatienceGrowing = isPatienceGrowing
    self.keepsBest = keepsBest
    self.problem = problem
    self.stopping = stopping
    point = problem.start
    current = problem.start
    statedThreshold = stopping.threshold(scale: problem.scale)
  }

  var isRunning: Bool { outcome == nil }

  /// Whether anything but the limit of iterations ends the run.
  var hasTarget: Bool { stopping.asksForCertificate || statedThreshold > 0 }

  /// The residual that is aimed at, as far as it is known; 0 where it is not.
  var threshold: Double { max(statedThreshold, target.isFinite ? target : 0, 0) }

  /// The relative residual below which a linear system for one step need not be solved.
  var leastForcing: Double {
    stopping.asksForCertificate ? 0.1 * stopping.accuracy(for: point.scalarType) : 0
  }

  /// The point with the evidence for it.
  var solution: InnerSolution {
    InnerSolution(
      value: point,
      status: SolverStatus(
        method: method, outcome: outcome ?? .stalled, history: history,
        threshold: certificate?.threshold(residual: residual) ?? max(statedThreshold, 0),
        scale: problem.scale, evaluations: evaluations, certificate: certificate,
        isAsAsked: !stopping.asksForCertificate || residual <= statedThreshold),
      jacobian: jacobian)
  }

  /// F(x), counted.
  mutating func residual(at x: Tensor) throws(SolverError) -> Tensor {
    evaluations += 1
    return try problem.residual(x)
  }

  /// f(x) and ∇f(x), counted.
  mutating func objective(at x: Tensor) throws(SolverError) -> ObjectivePoint {
    evaluations += 1
    let (value, gradient) = try problem.valueAndGradient(x)
    return ObjectivePoint(x: x, value: value, gradient: gradient)
  }

  /// Counts evaluations that were made elsewhere.
  mutating func count(evaluations count: Int) { evaluations += count }

  /// Records F at the start.
  ///
  /// - Parameter size: ‖F‖, NaN where the objective is not finite; nil to compute it.
  mutating func begin(_ f: Tensor, size: Double? = nil) throws(SolverError) {
    let residual = size ?? norm(f)
    history.append(residual)
    (self.residual, lowestResidual, current) = (residual, residual, f)
    if keepsBest { best = (point, f, residual) }
    try conclude(step: norm(point) > 0 ? 0 : .infinity)
  }

  /// Records an iteration; a point that is not finite ends the run at the point before it.
  ///
  /// - Parameters:
  ///   - f: F there.
  ///   - size: ‖F‖, NaN where the objective is not finite; nil to compute it.
  ///   - number: The iteration as progress reports call it, where it is not the next one.
  ///   - isProgress: Whether the iteration is known to have been of use, such as by lowering the
  ///     objective by more than rounding. As many iterations in a row as the run has patience that
  ///     neither are nor reach a new lowest residual end it as stalled; nil where the solver cannot
  ///     tell, which counts as progress.
  mutating func advance(
    to x: Tensor, _ f: Tensor, size: Double? = nil, number: Int? = nil, isProgress: Bool? = nil
  ) throws(SolverError) {
    let residual = size ?? norm(f)
    guard residual.isFinite else {
      try end(.notFinite)
      return
    }
    let step = stopping.asksForCertificate ? norm(combination(1, x, -1, point)) : 0
    (point, current, self.residual) = (x, f, residual)
    history.append(residual)
    let isLowest = residual < lowestResidual
    fruitlessIterations = isProgress ?? true || isLowest ? 0 : fruitlessIterations + 1
    iterationsAboveLowest = isLowest ? 0 : iterationsAboveLowest + 1
    lowestResidual = min(lowestResidual, residual)
    if keepsBest, isLowest { best = (x, f, residual) }
    problem.progress?(number ?? history.count - 1, residual)
    try conclude(step: step)
    if isRunning, stopping.asksForCertificate || isProgress != nil {
      try endAtRoundingFloor(after: isProgress == nil ? iterationsAboveLowest : fruitlessIterations)
    }
  }

  /// Iterates x ← x − step · F(x) until the run ends, also where the points no longer change.
  ///
  /// - Parameter stopsWithoutTarget: Whether a run without a tolerance ends there too, or takes its steps
  ///   regardless.
  mutating func iterate(step: Double, stopsWithoutTarget: Bool) throws(SolverError) {
    var f = try residual(at: point)
    try begin(f)
    while isRunning {
      let last = (point: point, residual: residual)
      let x = point - (step == 1 ? f : step * f)
      f = try residual(at: x)
      try advance(to: x, f)
      if hasTarget || stopsWithoutTarget { try endIfUnmoved(from: last) }
    }
  }

  /// Ends the run where the present point is the last one to the bit.
  mutating func endIfUnmoved(from last: (point: Tensor, residual: Double)) throws(SolverError) {
    // Equal points have equal residuals; the points are compared only then.
    if isRunning, residual == last.residual, point.isBitwiseEqual(to: last.point) {
      try end(.stalled)
    }
  }

  /// Ends the run at the present point, unless that turns out to be a solution.
  mutating func end(_ reason: SolverStatus.Outcome) throws(SolverError) {
    if let best, best.residual < residual {
      (point, current, residual) = best
      history.append(residual)
    }
    outcome = reason == .stalled && isCarriedOff ? .notFinite : reason
    guard stopping.asksForCertificate, reason.leavesQuestion else { return }
    try judge(isFinal: true)
    guard let refusal = certificate?.refusal else { return }
    // Far from a solution only a singular matrix says more than that the search ended.
    switch refusal {
    case .singular: outcome = refusal
    case .indefinite, .degenerate, .notSymmetric: if reason == .stalled { outcome = refusal }
    default: break
    }
  }

  // MARK: When a run ends

  private mutating func conclude(step: Double) throws(SolverError) {
    if !residual.isFinite {
      outcome = .notFinite
    } else if residual <= statedThreshold {
      outcome = .converged
    } else if isCandidate(step) {
      try judge(isFinal: false)
    }
    guard isRunning else { return }
    if history.count > stopping.maximumIterations {
      try end(.iterationLimit)
    } else if fruitlessIterations >= max(patience, isPatienceGrowing ? history.count / 2 : 0) {
      try end(.stalled)
    }
  }

  private func isCandidate(_ step: Double) -> Bool {
    guard stopping.asksForCertificate else { return false }
    if residual == 0 { return true }
    let size = max(norm(point), stopping.typicalMagnitude)
    let nearness = stopping.accuracy(for: point.scalarType).squareRoot()
    return residual <= target && evaluations >= resumption && step <= nearness * size
  }

  /// Asks for a certificate of the present point.
  private mutating func judge(isFinal: Bool) throws(SolverError) {
    let (certificate, jacobian) = try Certification.judge(
      problem, at: point, residual: current, rule: stopping, isFinal: isFinal)
    evaluations += certificate.products
    self.certificate = certificate
    if certificate.isAccepted {
      (outcome, self.jacobian) = (.converged, jacobian)
      return
    }
    // No step leads away from an exact zero of F.
    if residual == 0, !isFinal, let refusal = certificate.refusal { outcome = refusal }
    let excess = certificate.relativeError / certificate.accuracy
    target = residual * (excess.isFinite ? min(0.25, 0.5 / excess) : 0.1)
    // So that certificates never cost more than the search.
    resumption = evaluations + certificate.products
  }

  /// Ends a run whose residual is no larger than its rounding errors, once that is suspected.
  ///
  /// A fruitless stretch alone does not tell the end of what working precision allows from a
  /// badly conditioned problem, on which the residual rises and falls for long. The rounding error
  /// of the residual does: it is about how much F changes with the last bit of each unknown. That
  /// costs one F, and is asked for after 8, 16, 32, … fruitless iterations.
  private mutating func endAtRoundingFloor(after count: Int) throws(SolverError) {
    guard count >= 8, count & (count - 1) == 0 else { return }
    var generator = PhiloxGenerator(seed: UInt64(count))
    let signs = sign(normalVector(like: point, using: &generator))
    let nearby = point + point.scalarType.ulpOfOne * signs * point
    let rounding = norm(try residual(at: nearby) - current)
    // Iterates hover within a small multiple of their rounding errors.
    if residual <= 8 * rounding { try end(.stalled) }
  }

  /// Whether the residual has grown by half of the digits of the scalar type, and above the first.
  ///
  /// A run that can get no further there is not near a solution. It has followed an objective that
  /// is unbounded below to where the unknowns are too large for anything else to be resolved.
  private var isCarriedOff: Bool {
    residual > lowestResidual / point.scalarType.ulpOfOne.squareRoot()
      && residual > history.first ?? 0
  }
}

extension SolverStatus.Outcome {
  /// Whether a run that ended so may be at a solution after all, or can say more of why it is not.
  fileprivate var leavesQuestion: Bool {
    switch self {
    case .stalled, .iterationLimit, .singular: true
    default: false
    }
  }
}
