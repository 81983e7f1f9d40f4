import Autodiff
import Solvers

/// Approximate implicit differentiation: the solution of an inner problem as a differentiable
/// operator.
///
/// With F(x*(y), y) = 0, F the gradient of an objective, the residual of a root, or x − T(x, y) of a
/// fixed point, the implicit function theorem gives
///
///     dx*/dy = −F₁⁻¹ F₂,     hypergradient of g(x*(y), y):  g₂ − F₂ᵀ p,   F₁ᵀ p = g₁.
///
///     let layer = AID(
///       minimizing: { w, λ in trainingLoss(w) + (exp(λ) * w * w).sum() },
///       startingAt: Tensor.zeros([d]))
///     let (loss, hypergradient) = try valueWithGradient(at: λ) { λ in
///       validationLoss(try layer.solution(at: λ).value)
///     }
///
/// Neither F₁ nor the iterations are stored: memory does not depend on the number of inner steps.
/// The linear systems use products with F₁ only. Derivatives of every order in every mixture of
/// modes are right, with respect to the outer variables and to whatever the closures capture,
/// because the derivative rule is an operator of the same kind. The closures must be deterministic:
/// a pullback evaluates them again.
///
/// A layer may be a global constant and serve many tasks at once, so its closures are `@Sendable`:
/// they capture tensors, models and layers, but no variable. To capture the value of one, name it in
/// the capture list; to count or log, capture a `Mutex`.
///
/// The theorem needs an invertible F₁. An inner tensor that F does not depend on is refused, and so
/// are directions of no or negative curvature that a linear solver meets; a null direction that is
/// orthogonal to everything it is asked for stays unseen by Krylov methods. `DenseLU` sees it.
///
/// Source: implicit function theorem; for inexact solves, Pedregosa (2016), "Hyperparameter
/// optimization with approximate gradient"; Ye, Peyré, Cremers, Ablin (2024), "Enhancing
/// hypergradients estimation".
public struct AID<Inner: TensorTree, Outer: TensorTree>: BilevelLayer {
  /// Any function that finds the inner solution from a start; it is not traced and need not be
  /// differentiable.
  ///
  /// Every tensor is a constant in it, so what it computes must leave it as its result only: a value
  /// that is stored elsewhere would be a constant for the transforms outside as well. By-products
  /// have `solution(at:warmStart:solvedBy:)`.
  public typealias SolveFunction = @Sendable (_ start: Inner, _ outer: Outer) throws -> Inner

  enum Solver: Sendable {
    case library(any InnerSolver)
    case function(SolveFunction, tolerance: StoppingRule?)
  }

  var formulation: InnerFormulation<Inner, Outer>
  let initial: Inner
  let layout: FlatLayout<Inner>
  var solver: Solver
  let adjoint: any LinearSolver

  /// One step x − P⁻¹ F(x) after the inner solve; with P near F₁ it makes the error of the
  /// hypergradient nearly quadratic in that of the solution.
  public var correction: (any StepPreconditioner)?
  /// What happens when the inner problem or an adjoint system is not solved.
  public var onFailure = FailurePolicy.throw
  /// f on the mini-batch of a step, for a stochastic solver; the derivative, and the judgement of the
  /// solution, are those of the full objective.
  @preconcurrency
  public var batchObjective:
    (@Sendable (_ inner: Inner, _ outer: Outer, _ step: Int) throws -> Tensor)?
  /// Called after each inner iteration with its number and ‖F‖.
  @preconcurrency
  public var progress: (@Sendable (_ iteration: Int, _ residual: Double) -> Void)?

  /// The minimum of an objective f(x, y), where its Hessian in x must be invertible.
  ///
  /// - Parameters:
  ///   - objective: f, a scalar, twice differentiable.
  ///   - initial: Where the solver starts; its structure is that of the solution.
  ///   - solver: Finds the minimum.
  ///   - adjoint: Solves systems with the Hessian.
  @preconcurrency
  public init(
    minimizing objective: @escaping @Sendable (Inner, Outer) throws -> Tensor,
    startingAt initial: Inner,
    solver: any InnerSolver = LBFGS(), adjoint: any LinearSolver = ConjugateGradient()
  ) {
    self.init(.minimum(objective), initial, solver, adjoint)
  }

  /// The minimum of ½‖r(x, y)‖².
  ///
  /// The derivative uses the full Hessian, not JᵀJ: it is exact also where residuals remain.
  @preconcurrency
  public init(
    leastSquares residuals: @escaping @Sendable (Inner, Outer) throws -> Tensor,
    startingAt initial: Inner, solver: any InnerSolver = LevenbergMarquardt(),
    adjoint: any LinearSolver = ConjugateGradient()
  ) {
    self.init(.leastSquares(residuals), initial, solver, adjoint)
  }

  /// A root F(x, y) = 0, where F₁ must be invertible; it need not be symmetric.
  @preconcurrency
  public init(
    root residual: @escaping @Sendable (Inner, Outer) throws -> Inner, startingAt initial: Inner,
    solver: any InnerSolver = Newton(), adjoint: any LinearSolver = GMRES()
  ) {
    self.init(.root(residual), initial, solver, adjoint)
  }

  /// A fixed point x = T(x, y), where I − T₁ must be invertible.
  @preconcurrency
  public init(
    fixedPoint map: @escaping @Sendable (Inner, Outer) throws -> Inner, startingAt initial: Inner,
    solver: any InnerSolver = AndersonAcceleration(), adjoint: any LinearSolver = GMRES()
  ) {
    self.init(.fixedPoint(map), initial, solver, adjoint)
  }

  init(
    _ formulation: InnerFormulation<Inner, Outer>, _ initial: Inner, _ solver: any InnerSolver,
    _ adjoint: any LinearSolver
  ) {
    self.formulation = formulation
    self.initial = stopGradient(initial)
    layout = FlatLayout(of: initial, "AID")
    self.solver = .library(solver)
    self.adjoint = adjoint
  }

  /// The same layer solved by a function of the user's.
  ///
  ///     let layer = AID(minimizing: f, startingAt: x₀).solved { start, y in try myOwnSolver(start, y) }
  ///
  /// - Parameters:
  ///   - tolerance: What the function's result has to satisfy; nil is an accuracy of 1e-6, and 1e-3 for
  ///     float32.
  ///   - solve: Finds the solution; not traced, possibly not differentiable, and free to use
  ///     anything.
  @preconcurrency
  public func solved(
    tolerance: StoppingRule? = nil, by solve: @escaping SolveFunction
  ) -> AID {
    var layer = self
    layer.solver = .function(solve, tolerance: tolerance)
    return layer
  }

  public func solution(
    at outer: Outer, warmStart: WarmStart<Inner>?
  ) throws(SolverError) -> Solution<Inner> {
    try solution(at: outer, warmStart, by: nil)
  }

  /// - Parameter solve: What solves instead of the layer's solver; nil for that.
  private func solution(
    at outer: Outer, _ warmStart: WarmStart<Inner>?, by solve: ((Inner, Outer) throws -> Inner)?
  ) throws(SolverError) -> Solution<Inner> {
    let problem = problem(at: outer)
    let found = try hidingLevels { () throws(SolverError) in
      try self.found(at: stopGradient(outer), from: warmStart?.inner, by: solve)
    }
    let record = TrustRecord(inner: found.status)
    let system = system(
      { x throws(SolverError) in try problem.residual(x) }, found.status, record, warmStart,
      order: 1, jacobian: found.jacobian)
    let solution = layout.tree(try system.differentiable(found.value))
    if found.value.isFinite { warmStart?.inner = stopGradient(solution) }
    return Solution(value: solution, record: record)
  }

  /// Solves the inner problem by a function that has by-products, such as multipliers or a log.
  ///
  /// The auxiliary output is a constant: nothing states its derivative, so using it in a
  /// differentiated computation stops the program. `stopGradient` says that a constant is meant.
  ///
  /// - Parameter solve: From the start and the outer variables to the solution and the by-products;
  ///   not traced.
  public func solution<Auxiliary: TensorTree>(
    at outer: Outer, warmStart: WarmStart<Inner>? = nil,
    solvedBy solve: @escaping (Inner, Outer) throws -> (Inner, Auxiliary)
  ) throws(SolverError) -> (solution: Solution<Inner>, auxiliary: Auxiliary) {
    var byProduct: Auxiliary?
    let solution = try solution(at: outer, warmStart) { start, outer in
      let (inner, auxiliary) = try solve(start, outer)
      byProduct = auxiliary
      return inner
    }
    guard let byProduct else { stop("AID", "the solver function was not called") }
    let auxiliary = refusingDerivatives(
      byProduct, like: solution.value.tensors + outer.tensors,
      reason: """
        an auxiliary output of AID is used where its derivative would be needed, and it has none. \
        Use stopGradient(auxiliary) if a constant is meant, or compute it from the solution
        """)
    return (solution, auxiliary)
  }
}

extension AID: Sendable where Inner: Sendable {}

// MARK: - The parts that estimators share

extension AID {
  /// The inner problem as a function of one vector.
  func problem(at outer: Outer) -> InnerProblem.Formulation {
    formulation.flattened(layout, at: outer, for: "AID")
  }

  /// The inner problem as a solver sees it.
  func innerProblem(
    _ problem: InnerProblem.Formulation, at outer: Outer, startingAt start: Tensor, scale: Double
  ) throws(SolverError) -> InnerProblem {
    var batches: ((Tensor, Int) throws(SolverError) -> Tensor)?
    if let batchObjective {
      batches = { x, step throws(SolverError) in
        try calling { try batchObjective(layout.tree(x), outer, step) }
      }
    }
    return try InnerProblem(
      problem, startingAt: start, scale: scale, blocks: layout.blocks, batchObjective: batches,
      progress: progress)
  }

  /// The solution as a vector with its status; thrown if it is not accepted and that is not wanted.
  ///
  /// - Parameter own: What solves instead of the layer's solver; nil for that.
  func found(
    at outer: Outer, from start: Inner?, by own: ((Inner, Outer) throws -> Inner)? = nil
  ) throws(SolverError) -> InnerSolution {
    let problem = problem(at: outer)
    let initial = layout.vector(initial, "AID", "initial point")
    let scale = norm(try problem.residual(initial))
    var first = initial
    // Where the initial point is the solution, nothing can be nearer.
    if let start, scale > 0 { first = stopGradient(layout.vector(start, "AID", "warm start")) }
    var inner = try innerProblem(problem, at: outer, startingAt: first, scale: scale)
    inner.prefersDenseJacobian = adjoint.formsMatrix
    var solution: InnerSolution
    if let own {
      solution = try solve(inner, outer, by: own, tolerance: nil)
    } else {
      solution = try solve(inner, outer)
    }
    if let correction { solution = try corrected(solution, inner, by: correction) }
    if !solution.status.isConverged, onFailure == .throw || solution.status.isRefusal {
      throw .unsolved(solution.status, of: .inner)
    }
    return solution
  }

  private func solve(
    _ problem: InnerProblem, _ outer: Outer
  ) throws(SolverError) -> InnerSolution {
    switch solver {
    case .library(let solver):
      let solution = try solver.solve(problem)
      let status = solution.status
      // A solver of the user's says that it converged; whether that is a solution is seen here.
      guard status.isConverged, status.certificate == nil, !status.isAsAsked else {
        return solution
      }
      return try judged(solution.value, status, problem, by: StoppingRule())
    case .function(let function, let tolerance):
      return try solve(problem, outer, by: function, tolerance: tolerance)
    }
  }

  private func solve(
    _ problem: InnerProblem, _ outer: Outer, by function: (Inner, Outer) throws -> Inner,
    tolerance: StoppingRule?
  ) throws(SolverError) -> InnerSolution {
    let result = try calling { try function(layout.tree(problem.start), outer) }
    let x = stopGradient(layout.vector(result, "AID", "result of the solver function"))
    let rule = tolerance ?? StoppingRule(accuracy: layout.scalarType == .float32 ? 1e-3 : 1e-6)
    let residual = norm(try problem.residual(x))
    let threshold = rule.threshold(scale: problem.scale)
    let isAsAsked = residual <= threshold
    let outcome: SolverStatus.Outcome =
      !residual.isFinite ? .notFinite : isAsAsked ? .converged : .inaccurate
    let status = SolverStatus(
      method: "the user's solver", outcome: outcome, history: [problem.scale, residual],
      threshold: max(threshold, 0), scale: problem.scale, evaluations: 1, iterations: 0,
      certificate: nil, isAsAsked: isAsAsked)
    guard outcome == .inaccurate, rule.asksForCertificate else {
      return InnerSolution(value: x, status: status)
    }
    return try judged(x, status, problem, by: rule)
  }

  /// A point with the certificate that it has or is refused.
  private func judged(
    _ x: Tensor, _ status: SolverStatus, _ problem: InnerProblem, by rule: StoppingRule,
    residual: Tensor? = nil
  ) throws(SolverError) -> InnerSolution {
    let f: Tensor
    if let residual { f = residual } else { f = try problem.residual(x) }
    let (certificate, jacobian) = try Certification.judge(
      problem, at: x, residual: f, rule: rule, isFinal: true)
    return InnerSolution(
      value: x, status: status.judged(certificate, residual: residual.map(norm)),
      jacobian: certificate.isAccepted ? jacobian : nil)
  }

  /// One preconditioned step; kept only where it lowers ‖F‖.
  private func corrected(
    _ solution: InnerSolution, _ problem: InnerProblem, by correction: any StepPreconditioner
  ) throws(SolverError) -> InnerSolution {
    let (x, status) = (solution.value, solution.status)
    let residual = try problem.residual(x)
    let candidate = x - (try correction.inverse(for: problem, at: x)(residual))
    let f = try problem.residual(candidate)
    // Also a step that is not finite is no improvement.
    guard norm(f) < norm(residual) else { return solution }
    // A point that was refused may be a solution now.
    guard status.isConverged || status.certificate == nil else {
      return try judged(candidate, status, problem, by: StoppingRule(), residual: f)
    }
    return InnerSolution(value: candidate, status: status.continued(to: norm(f)))
  }

  /// The implicit function theorem at a solution of F = 0.
  ///
  /// - Parameter order: The order of the estimator's error in that of the inner solution, to which the
  ///   tolerance is matched; nil solves as accurately as the scalar type allows.
  func system(
    _ residual: @escaping ImplicitSystem.VectorFunction,
    _ status: SolverStatus, _ record: TrustRecord, _ warmStart: WarmStart<Inner>?, order: Int?,
    jacobian: LinearOperator? = nil
  ) -> ImplicitSystem {
    let cache = ImplicitSystem.Cache()
    cache.jacobian = jacobian
    if let warmStart {
      cache.adjointStart = warmStart.adjoint
      cache.storeAdjoint = { warmStart.adjoint = $0 }
    }
    let tolerance = matchedTolerance(status, order: order, scalarType: layout.scalarType)
    return ImplicitSystem(
      name: "AID", residual: residual,
      adjoint: AdjointSettings(
        solver: adjoint, tolerance: tolerance, scalarType: layout.scalarType, blocks: layout.blocks,
        onFailure: onFailure),
      record: record, cache: cache)
  }
}

/// The adjoint tolerance that does not spoil an estimator whose error is of the given order in that
/// of the inner solution: its relative error to that power, within what the scalar type can reach.
func matchedTolerance(_ inner: SolverStatus, order: Int?, scalarType: ScalarType) -> Double {
  let floor = scalarType == .float32 ? 1e-5 : 1e-11
  let relative = inner.relativeError
  guard let order, relative.isFinite else { return floor }
  return max(floor, min(1e-3, order == 1 ? relative : relative * relative))
}
