import Autodiff
import Solvers

/// P = F₁: the error becomes quadratic, for every smooth problem.
public struct NewtonStep: StepPreconditioner {
  /// Solves F₁ v = F.
  public var solver: any LinearSolver

  /// Makes the preconditioner; without a tolerance of its own the solver is run to 1e-12.
  public init(solver: any LinearSolver = DenseLU()) { self.solver = solver }

  public func inverse(
    for problem: InnerProblem, at x: Tensor
  ) throws(SolverError) -> LinearOperator.Product {
    let jacobian = try problem.jacobian(at: x)
    let tolerance = x.scalarType == .float32 ? 1e-6 : 1e-12
    return { v throws(SolverError) in
      try step(try solver.solve(LinearSystem(jacobian, v, tolerance: tolerance)))
    }
  }
}

/// The vector of a solve, as a step: an inexact one is a step of another preconditioner, but a solve
/// that got nowhere gives none.
private func step(_ solution: LinearSolution) throws(SolverError) -> Tensor {
  switch solution.status.outcome {
  case .converged, .iterationLimit, .stalled, .inaccurate: return solution.value
  case .indefinite where norm(solution.value) > 0: return solution.value
  default: throw .unsolved(solution.status, of: .adjoint)
  }
}

/// P⁻¹ F by k conjugate-gradient iterations on F₁ v = F, matrix-free.
///
/// The best value for money after a first-order inner solver, whose error lies along few slow
/// eigenvectors. Not linear in F; still consistent, as F = 0 gives 0.
public struct ConjugateGradientStep: StepPreconditioner {
  /// k.
  public var iterations: Int

  /// A step of k iterations.
  public init(iterations: Int) { self.iterations = iterations }

  public var isLinear: Bool { false }

  public func inverse(
    for problem: InnerProblem, at x: Tensor
  ) throws(SolverError) -> LinearOperator.Product {
    let jacobian = try problem.jacobian(at: x)
    let solver = ConjugateGradient(maximumIterations: iterations)
    let floor = x.scalarType == .float32 ? 1e-6 : 1e-13
    return { v throws(SolverError) in
      try step(try solver.solve(LinearSystem(jacobian, v, tolerance: floor)))
    }
  }
}

/// P = F₁ at another point, such as the previous outer iteration's solution, whose factorisation
/// serves again.
public struct FrozenHessianStep: StepPreconditioner {
  private let point: Tensor
  private let solver: any LinearSolver

  /// A step by the Hessian at another point.
  ///
  /// - Parameters:
  ///   - inner: The other point, of the structure of the inner variable.
  ///   - solver: Solves the systems.
  public init(at inner: some TensorTree, solver: any LinearSolver = DenseLU()) {
    point = FlatLayout(of: inner, "FrozenHessianStep").vector(inner, "FrozenHessianStep", "point")
    self.solver = solver
  }

  public func inverse(
    for problem: InnerProblem, at x: Tensor
  ) throws(SolverError) -> LinearOperator.Product {
    guard point.shape == x.shape else {
      stop(
        "FrozenHessianStep",
        "the point has \(point.elementCount) elements, the inner variable \(x.elementCount)")
    }
    return try NewtonStep(solver: solver).inverse(for: problem, at: stopGradient(point))
  }
}

/// P⁻¹ = the inverse Hessian of an L-BFGS run on the inner problem from its start.
///
/// What a quasi-Newton inner solver knows anyway. It is a step here; put in place of F₁⁻¹ in the
/// formula it would not be consistent.
public struct LBFGSStep: StepPreconditioner {
  /// The number of curvature pairs.
  public var memory: Int
  /// The iterations of the run.
  public var iterations: Int

  /// A step by so many pairs of a run of so many iterations.
  public init(memory: Int = 10, iterations: Int = 50) {
    self.memory = memory
    self.iterations = iterations
  }

  public func inverse(
    for problem: InnerProblem, at x: Tensor
  ) throws(SolverError) -> LinearOperator.Product {
    let solver = LBFGS(
      memory: memory, stopping: StoppingRule(relative: 1e-12, maximumIterations: iterations))
    let pairs = try solver.solveKeepingPairs(problem).pairs
    // A run that started at the solution has learnt nothing.
    if pairs.isEmpty { return try IdentityStep().inverse(for: problem, at: x) }
    return { v throws(SolverError) in pairs.inverseHessianProduct(v) }
  }
}
