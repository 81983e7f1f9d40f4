import Autodiff
import Bilevel
import HyperparameterProblems

/// Estimates the hypergradient of a problem at approximate inner solutions by each estimator.
///
/// The points are in the scalar type of the problem. The adjoint systems are solved directly, or to
/// rounding, so that what differs is the estimator alone.
///
/// - Parameters:
///   - problem: The problem, with its exact hypergradient.
///   - estimators: The estimators, in the order of the result.
///   - points: Approximate inner solutions with their true errors.
///   - seed: The seed of the problem, which names the curves.
/// - Returns: One curve to an estimator, each with one value to a point, in the order of `points`.
/// - Throws: Whatever an inner or linear solver throws.
func evaluate(
  _ problem: HyperparameterProblem, estimators: [EstimatorName], points: [InnerPoint],
  seed: UInt64
) throws -> [EstimatorCurve] {
  let evaluation = Evaluation(problem, seed: seed)
  return try estimators.map { name in
    let estimate = try evaluation.function(for: name)
    return EstimatorCurve(
      name: name.label, seed: seed, problem: problem, points: points,
      estimates: try points.map { try estimate($0.x) })
  }
}

/// The estimators of one problem as functions of the inner point.
struct Evaluation {
  typealias Layer = AID<Tensor, Tensor>

  private let problem: HyperparameterProblem
  private let seed: UInt64
  private let solver: any LinearSolver

  init(_ problem: HyperparameterProblem, seed: UInt64) {
    self.problem = problem
    self.seed = seed
    let tolerance = problem.scalarType == .float32 ? 1e-6 : 1e-13
    solver =
      problem.innerSize <= 200
      ? DenseLU(tolerance: tolerance) : ConjugateGradient(tolerance: tolerance)
  }

  /// x ↦ the estimate of ∇h at x.
  func function(for name: EstimatorName) throws -> (Tensor) throws -> Tensor {
    switch name {
    case .plain: return implicit(.plain)
    case .gradientStep: return implicit(.preconditioned(IdentityStep()))
    case .diagonal: return implicit(.preconditioned(DiagonalStep(isSafe: false)))
    case .safeDiagonal: return implicit(.preconditioned(DiagonalStep()))
    case .lbfgs: return implicit(.preconditioned(LBFGSStep(memory: 5)))
    case .cg2: return implicit(.preconditioned(ConjugateGradientStep(iterations: 2)))
    case .cg5: return implicit(.preconditioned(ConjugateGradientStep(iterations: 5)))
    case .cg10: return implicit(.preconditioned(ConjugateGradientStep(iterations: 10)))
    case .frozen10: return implicit(.preconditioned(frozen(0.1)))
    case .frozen1: return implicit(.preconditioned(frozen(0.01)))
    case .newton: return implicit(.preconditioned(NewtonStep(solver: solver)))
    case .linearized: return implicit(.linearized)
    case .repDiagonal: return implicit(.reparameterized(DiagonalReparameterization()))
    case .repFull: return implicit(.reparameterized(FullReparameterization()))
    case .repExponential: return implicit(.reparameterized(ExponentialReparameterization()))
    case .repKappa: return implicit(.reparameterized(try bestSeparable()))
    case .repNewton: return implicit(.reparameterized(NewtonReparameterization()))
    case .composed: return implicit(.composed(DiagonalStep(), try bestSeparable()))
    case .identityInverse:
      return implicit(.plain, adjoint: IdentityInverse(step: try gradientStep()))
    case .neumann10:
      let step = try gradientStep()
      return implicit(.plain, adjoint: Neumann(tolerance: 0, maximumIterations: 10, step: step))
    case .lastStep: return try lastStep()
    }
  }

  private func implicit(
    _ estimator: HypergradientEstimator<Tensor>, adjoint: (any LinearSolver)? = nil
  ) -> (Tensor) throws -> Tensor {
    let layer = layer(adjoint ?? solver)
    let y = problem.hyperparameters
    return { x in
      try layer.hypergradient(at: y, from: x, estimator: estimator, of: problem.outer).gradient
    }
  }

  private func layer(_ adjoint: any LinearSolver) -> Layer {
    var layer = Layer(
      minimizing: problem.inner, from: problem.start, solver: LBFGS(), adjoint: adjoint)
    // Rounding can keep a system from its tolerance; the error that is measured tells.
    layer.onFailure = .report
    return layer
  }

  /// The Hessian at a point this far from the solution, relative to it, in a seeded direction.
  private func frozen(_ distance: Double) -> FrozenHessianStep {
    var generator = PhiloxGenerator(seed: seed, stream: 7)
    let x = problem.solution
    let direction = Tensor.normal(x.shape, .float64, using: &generator)
    let point = x + (distance * x.norm() / direction.norm()) * direction
    return FrozenHessianStep(at: point.cast(to: problem.scalarType), solver: solver)
  }

  /// The curvatures that suit the problem best, found at its exact solution.
  private func bestSeparable() throws -> SeparableReparameterization<Tensor> {
    let x = problem.solution.cast(to: problem.scalarType)
    let curvatures = try layer(solver).optimalCurvatures(
      at: problem.hyperparameters, from: x, of: problem.outer)
    return SeparableReparameterization(curvatures: curvatures)
  }

  /// 1 / λmax of the Hessian at the solution.
  private func gradientStep() throws -> Double {
    let x = problem.solution.cast(to: .float64)
    let hessian = problem.regression.cast(to: .float64).jacobian(
      x, problem.hyperparameters.cast(to: .float64))
    return 1 / (try symmetricEigenvalues(hessian).max().scalar)
  }

  /// The derivative of one gradient step from x.
  private func lastStep() throws -> (Tensor) throws -> Tensor {
    let step = try gradientStep()
    let y = problem.hyperparameters
    return { x in
      let layer = ITD(
        minimizing: problem.inner, from: x, update: .gradientDescent(step: step), steps: 1)
      return try layer.hypergradient(at: y, of: problem.outer).gradient
    }
  }
}
