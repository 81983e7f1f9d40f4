import Autodiff
import Solvers

/// Iterative differentiation: a fixed number of inner iterations as a differentiable operator.
///
///     x₀ given,  xₜ₊₁ = Φ(xₜ, y),  t < T;      hypergradient of g(x_T(y), y)
///
/// The derivative is exactly that of x_T, at every order in every mode, with respect to the outer
/// variables, to what the closures capture and to the initial point (which may be what is learnt).
/// As an estimate of the derivative of the solution x* it is approximate, by an amount that falls
/// with T as ‖x_T − x*‖ does; the record states the residual at x_T. A warm start changes x_T, not
/// only what it costs.
///
/// Source: Maclaurin, Duvenaud, Adams (2015), "Gradient-based hyperparameter optimization through
/// reversible learning"; Shaban et al. (2019) for truncation.
public struct ITD<Inner: TensorTree, Outer: TensorTree>: BilevelLayer {
  /// Which iterations are differentiated.
  public enum Span: Sendable, Equatable {
    /// All.
    case all
    /// The last ones only; x before them counts as a constant, also the initial point.
    ///
    /// Approximate: the error falls geometrically with their number.
    case last(Int)
  }

  /// What reverse mode keeps.
  public enum Memory: Sendable, Equatable {
    /// Every iteration's intermediate results: memory grows like T.
    case full
    /// The state before each segment of this many iterations, which is run again for the
    /// derivative; nil is ⌈√T⌉. Memory: T / segment states and the intermediate results of one
    /// segment, for one more evaluation.
    ///
    /// The closures must not capture tensors that a running transform differentiates; pass those in
    /// the outer tree.
    case checkpointed(segment: Int? = nil)
  }

  private enum Iteration {
    case minimizing(UnrolledUpdate)
    case map
  }

  let formulation: InnerFormulation<Inner, Outer>
  let initial: Inner
  let layout: FlatLayout<Inner>
  private let iteration: Iteration
  /// T.
  public let steps: Int
  /// Which iterations are differentiated.
  public var span: Span
  /// What reverse mode keeps.
  public var memory: Memory
  /// The residual relative to that at the initial point above which `solution` throws; nil never
  /// throws.
  public var tolerance: Double?

  /// Steps that lower an objective f(x, y).
  @preconcurrency
  public init(
    minimizing objective: @escaping @Sendable (Inner, Outer) throws -> Tensor,
    startingAt initial: Inner,
    update: UnrolledUpdate, steps: Int, differentiating span: Span = .all, memory: Memory = .full
  ) {
    self.init(.minimum(objective), .minimizing(update), initial, steps, span, memory)
  }

  /// Applications of a map Φ(x, y).
  @preconcurrency
  public init(
    iterating map: @escaping @Sendable (Inner, Outer) throws -> Inner, startingAt initial: Inner,
    steps: Int, differentiating span: Span = .all, memory: Memory = .full
  ) {
    self.init(.fixedPoint(map), .map, initial, steps, span, memory)
  }

  private init(
    _ formulation: InnerFormulation<Inner, Outer>, _ iteration: Iteration, _ initial: Inner,
    _ steps: Int, _ span: Span, _ memory: Memory
  ) {
    guard steps >= 0 else {
      stop("ITD", "the number of steps must not be negative, found \(steps)")
    }
    if case .last(let count) = span, count < 0 {
      stop("ITD", "the number of differentiated steps must not be negative, found \(count)")
    }
    if case .checkpointed(let segment?) = memory, segment < 1 {
      stop("ITD", "a checkpointed segment has at least one step, found \(segment)")
    }
    self.formulation = formulation
    self.iteration = iteration
    self.initial = initial
    layout = FlatLayout(of: initial, "ITD")
    self.steps = steps
    self.span = span
    self.memory = memory
  }

  public func solution(
    at outer: Outer, warmStart: WarmStart<Inner>?
  ) throws(SolverError) -> Solution<Inner> {
    let first = layout.vector(initial, "ITD", "initial point")
    var start = first
    if let warm = warmStart?.inner { start = layout.vector(warm, "ITD", "warm start") }
    let skipped = steps - differentiatedSteps
    var state = initialState(start)
    if skipped > 0 {
      // The undifferentiated steps of a truncated run leave no trace.
      let constant = stopGradient(state)
      let reached = try hidingLevels { () throws(SolverError) in
        try run(constant, 0..<skipped, stopGradient(outer))
      }
      state = stopGradient(reached)
    }
    state = try runDifferentiated(state, skipped..<steps, outer)
    let record = TrustRecord(
      inner: try endStatus(of: stopGradient(state[0]), stopGradient(first), outer))
    if skipped > 0 {
      record.setApproximation("only the last \(differentiatedSteps) iterations are differentiated")
    }
    let solution = layout.tree(state[0])
    warmStart?.inner = stopGradient(solution)
    return Solution(value: solution, record: record)
  }

  private var differentiatedSteps: Int {
    switch span {
    case .all: steps
    case .last(let count): min(count, steps)
    }
  }

  private func initialState(_ x: Tensor) -> [Tensor] {
    switch iteration {
    case .minimizing(let update): update.start(at: x)
    case .map: [x]
    }
  }

  private func run(
    _ state: [Tensor], _ range: Range<Int>, _ outer: Outer
  ) throws(SolverError) -> [Tensor] {
    let problem = formulation.flattened(layout, at: outer, for: "ITD")
    var state = state
    for index in range {
      switch iteration {
      case .minimizing(let update):
        state = try update.step(state, index) { x throws(SolverError) in try problem.residual(x) }
      case .map: state = [state[0] - (try problem.residual(state[0]))]
      }
    }
    return state
  }

  private func runDifferentiated(
    _ state: [Tensor], _ range: Range<Int>, _ outer: Outer
  ) throws(SolverError) -> [Tensor] {
    switch memory {
    case .full: return try run(state, range, outer)
    case .checkpointed(let segment): return try runInSegments(state, range, outer, segment)
    }
  }

  private func runInSegments(
    _ state: [Tensor], _ range: Range<Int>, _ outer: Outer, _ segment: Int?
  ) throws(SolverError) -> [Tensor] {
    let length = segment ?? max(1, Int(Double(range.count).squareRoot().rounded(.up)))
    var state = state
    for start in stride(from: range.lowerBound, to: range.upperBound, by: length) {
      let part = start..<min(start + length, range.upperBound)
      state = try checkpointed(at: state, outer) { state, outer throws(SolverError) in
        try run(state, part, outer)
      }
    }
    return state
  }

  /// The residual at x_T.
  ///
  /// - Throws: `inner` where a tolerance is missed, and always where x_T is not finite.
  private func endStatus(
    of x: Tensor, _ initial: Tensor, _ outer: Outer
  ) throws(SolverError) -> SolverStatus {
    let problem = formulation.flattened(layout, at: stopGradient(outer), for: "ITD")
    let (scale, residual) = try hidingLevels { () throws(SolverError) in
      (norm(try problem.residual(initial)), norm(try problem.residual(x)))
    }
    let threshold = (tolerance ?? 0) * scale
    let outcome: SolverStatus.Outcome =
      !residual.isFinite ? .notFinite : residual <= threshold ? .converged : .iterationLimit
    let status = SolverStatus(
      method: "ITD", outcome: outcome, history: [scale, residual], threshold: threshold,
      scale: scale, evaluations: steps, iterations: steps)
    if outcome == .notFinite || (tolerance != nil && outcome != .converged) {
      throw .unsolved(status, of: .inner)
    }
    return status
  }
}

extension ITD: Sendable where Inner: Sendable {}
