import Autodiff

/// What the iterative methods for A x = b share: the start, the history, when to stop, and the rule
/// that only a recomputed residual b − A x counts.
///
/// A method works in cycles. Within a cycle it trusts the residual norm that its recurrence carries;
/// at the end of one the residual is recomputed, and the next cycle, where one is needed, starts
/// from that. So rounding errors of the recurrence cost iterations, but never accuracy.
struct LinearIteration {
  /// Why a cycle ended.
  enum CycleEnd {
    /// The recurrence claims that the target is reached, or that it cannot get any further.
    case claim
    /// The method starts anew as a matter of course.
    case restart
    /// The permitted iterations are used up.
    case limit
    /// Something that another cycle would only meet again.
    case failure(SolverStatus.Outcome)
  }

  typealias Cycle = (inout LinearIteration) throws(SolverError) -> CycleEnd

  /// The iterate at the start of the cycle.
  private(set) var x: Tensor
  /// b − A x there, and its norm.
  private(set) var residual: Tensor
  private(set) var residualNorm: Double
  /// Cycles in a row that brought no progress.
  private(set) var idleCycles = 0

  private let method: String
  private let system: LinearSystem
  private let scale: Double
  private let threshold: Double
  private let limit: Int
  private let productsBefore: Int
  private var history: [Double] = []
  private var best: (x: Tensor, norm: Double)?
  /// The last iterate of a method whose error falls in another norm than that of the residual.
  private var latest: Tensor?

  /// Solves by cycles until the residual is small enough or nothing helps.
  ///
  /// - Parameters:
  ///   - limit: The most iterations where the options state none; nil is 10 n.
  ///   - refusal: Why the method does not apply, asked for before the first iteration.
  ///   - patience: How many cycles without progress in a row are one too many.
  ///   - cycle: Improves `x`, calling `note` after each iteration.
  static func solve(
    _ system: LinearSystem, _ options: KrylovOptions, _ method: String, limit: Int? = nil,
    patience: Int = 1,
    refusing refusal: () throws(SolverError) -> SolverStatus.Outcome? = { nil }, cycle: Cycle
  ) throws(SolverError) -> LinearSolution {
    var run = LinearIteration(
      system, tolerance: options.tolerance ?? system.tolerance,
      limit: options.maximumIterations ?? limit ?? 10 * system.matrix.size, method)
    if run.scale == 0 { return run.solution(.converged) }
    if !run.scale.isFinite { return run.solution(.notFinite) }
    if let refusal = try refusal() { return run.solution(refusal) }
    try run.begin(at: system.guess)
    let outcome = try run.iterate(patience, cycle)
    return run.solution(outcome)
  }

  private init(_ system: LinearSystem, tolerance: Double, limit: Int, _ method: String) {
    self.method = method
    self.system = system
    self.limit = limit
    residual = system.rightHandSide
    x = .zeros(like: residual)
    residualNorm = norm(residual)
    scale = residualNorm
    threshold = tolerance * scale
    productsBefore = system.matrix.productCount
    history = [scale]
  }

  /// Starts at a guess, unless zero is better.
  private mutating func begin(at start: Tensor?) throws(SolverError) {
    guard let start, try adopt(start) else { return }
    history = [residualNorm]
  }

  private mutating func iterate(
    _ patience: Int, _ cycle: Cycle
  ) throws(SolverError) -> SolverStatus.Outcome {
    while residualNorm > threshold {
      if iterations >= limit { return .iterationLimit }
      best = nil
      let before = residualNorm
      let end = try cycle(&self)
      if let best { _ = try adopt(best.x) }
      if case .limit = end, let latest { try accept(latest) }
      // What is returned is what counts, not what the recurrence believed.
      if iterations > 0 { history[history.count - 1] = residualNorm }
      if residualNorm <= threshold { break }
      let progress = residualNorm / before
      switch end {
      case .failure(let outcome): return outcome
      case .limit: return .iterationLimit
      case .claim: idleCycles = progress > 0.5 ? idleCycles + 1 : 0
      case .restart: idleCycles = progress > 0.9999 ? idleCycles + 1 : 0
      }
      if idleCycles >= patience { return .stalled }
    }
    return .converged
  }

  /// Moves to a point and recomputes the residual there; stays where that would be worse.
  private mutating func adopt(_ point: Tensor) throws(SolverError) -> Bool {
    let candidate = try residual(at: point)
    let candidateNorm = norm(candidate)
    guard candidateNorm < residualNorm else { return false }
    (x, residual, residualNorm) = (point, candidate, candidateNorm)
    return true
  }

  /// Moves to a point whose error is smaller whatever its residual.
  private mutating func accept(_ point: Tensor) throws(SolverError) {
    let candidate = try residual(at: point)
    guard candidate.isFinite else { return }
    (x, residual, residualNorm) = (point, candidate, norm(candidate))
  }

  private func solution(_ outcome: SolverStatus.Outcome) -> LinearSolution {
    LinearSolution(
      value: x,
      status: SolverStatus(
        method: method, outcome: outcome, history: history, threshold: threshold, scale: scale,
        evaluations: system.matrix.productCount - productsBefore))
  }
}

// MARK: - What a cycle uses

extension LinearIteration {
  /// The iterations so far.
  var iterations: Int { history.count - 1 }

  /// The unit roundoff of the vectors.
  var epsilon: Double { residual.scalarType.ulpOfOne }

  /// A v, or Aᵀ v for a transposed solve.
  func product(_ v: Tensor) throws(SolverError) -> Tensor {
    try system.product(v)
  }

  /// Aᵀ v, or A v for a transposed solve.
  func adjointProduct(_ v: Tensor) throws(SolverError) -> Tensor {
    try system.adjointProduct(v)
  }

  /// b − A x.
  func residual(at x: Tensor) throws(SolverError) -> Tensor {
    try system.residual(at: x)
  }

  /// Notes an iteration with the residual norm that the recurrence claims.
  ///
  /// - Returns: Why to stop, or nil to go on.
  mutating func note(_ claimed: Double) -> CycleEnd? {
    history.append(claimed)
    if !claimed.isFinite { return .failure(.notFinite) }
    // Beyond working precision a recurrence falls on, but means nothing.
    if claimed <= max(threshold, 0.1 * epsilon * residualNorm) { return .claim }
    return iterations >= limit ? .limit : nil
  }

  /// Offers an iterate; at the end of the cycle the one with the least claimed norm is taken.
  mutating func offer(_ x: Tensor, _ claimed: Double) {
    if claimed < best?.norm ?? .infinity { best = (x, claimed) }
  }

  /// Offers an iterate that is nearer to the solution than all before it, though its residual may
  /// be larger: where the iterations end early, it is taken.
  mutating func offerNearer(_ x: Tensor, _ claimed: Double) {
    offer(x, claimed)
    latest = x
  }

  /// Withdraws what was offered in favour of an earlier iterate.
  mutating func retract(to x: Tensor, _ claimed: Double) { best = (x, claimed) }

  /// The outcome for a direction of curvature that is not positive.
  func indefinite(_ direction: Tensor, curvature: Double) -> SolverStatus.Outcome {
    .indefinite(
      curvature: curvature, blocks: .largest(of: direction.scalars, in: system.matrix.blocks))
  }
}

extension [SolverStatus.BlockShare] {
  /// The parts with most of a direction; see `BlockShare.largest`.
  static func largest(of direction: [Double], in blocks: [VectorBlock]) -> Self {
    SolverStatus.BlockShare.largest(of: direction, in: blocks)
  }
}
