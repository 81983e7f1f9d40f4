import Autodiff
import Bilevel
import HyperparameterProblems
import Solvers

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
    var curve = EstimatorCurve(
      name: name.label, seed: seed, problem: problem, points: points,
      estimates: try points.map { try estimate($0.x) })
    curve.efficiencyConstant = try evaluation.efficiencyConstant(of: name)
    return curve
  }
}

/// The estimators of one problem as functions of the inner point.
struct Evaluation {
  private let problem: HyperparameterProblem
  private let seed: UInt64
  private let solver: any LinearSolver

  init(_ problem: HyperparameterProblem, seed: UInt64) {
    (self.problem, self.seed) = (problem, seed)
    let tolerance = problem.scalarType == .float32 ? 1e-6 : 1e-13
    solver =
      problem.innerSize <= 200
      ? DenseLU(tolerance: tolerance) : ConjugateGradient(tolerance: tolerance)
  }

  /// x ↦ the estimate of ∇h at x.
  func function(for name: EstimatorName) throws -> (Tensor) throws -> Tensor {
    let y = problem.hyperparameters
    if name == .lastStep {
      let step = try gradientStep()
      return { x in
        try ITD(
          minimizing: problem.inner, startingAt: x, update: .gradientDescent(step: step), steps: 1
        ).hypergradient(at: y, of: problem.outer).gradient
      }
    }
    let layer = layer(try adjoint(of: name))
    let estimator = try estimator(name)
    return { x in
      try layer.hypergradient(at: y, evaluatedAt: x, estimator: estimator, of: problem.outer)
        .gradient
    }
  }

  /// C_y = ‖Ω̃₁‖ at the solution, by differentiating the estimator; nil where it has no Jacobian
  /// there (conjugate gradients), is not consistent, or takes too long.
  func efficiencyConstant(of name: EstimatorName) throws -> Double? {
    let estimator = try estimator(name)
    guard !name.isApproximate, estimator.isLinear, problem.innerSize <= 30 else { return nil }
    return try layer(solver).efficiencyConstant(
      at: problem.hyperparameters, evaluatedAt: solution, estimator: estimator, of: problem.outer)
  }

  private func estimator(_ name: EstimatorName) throws -> HypergradientEstimator<Tensor> {
    switch name {
    case .plain, .identityInverse, .neumann10, .lastStep: .plain
    case .gradientStep: .preconditioned(IdentityStep())
    case .diagonal: .preconditioned(DiagonalStep(isSafe: false))
    case .safeDiagonal: .preconditioned(DiagonalStep())
    case .lbfgs: .preconditioned(LBFGSStep(memory: 5))
    case .cg2: .preconditioned(ConjugateGradientStep(iterations: 2))
    case .cg5: .preconditioned(ConjugateGradientStep(iterations: 5))
    case .cg10: .preconditioned(ConjugateGradientStep(iterations: 10))
    case .frozen10: .preconditioned(frozen(0.1))
    case .frozen1: .preconditioned(frozen(0.01))
    case .newton: .preconditioned(NewtonStep(solver: solver))
    case .linearized: .linearized
    case .repDiagonal: .reparameterized(DiagonalReparameterization())
    case .repFull: .reparameterized(FullReparameterization())
    case .repExponential: .reparameterized(ExponentialReparameterization())
    case .repKappa: .reparameterized(try bestSeparable())
    case .repNewton: .reparameterized(NewtonReparameterization())
    case .composed: .composed(DiagonalStep(), try bestSeparable())
    }
  }

  private func adjoint(of name: EstimatorName) throws -> any LinearSolver {
    switch name {
    case .identityInverse: IdentityInverse(step: try gradientStep())
    case .neumann10: Neumann(tolerance: 0, maximumIterations: 10, step: try gradientStep())
    default: solver
    }
  }

  private func layer(_ adjoint: any LinearSolver) -> AID<Tensor, Tensor> {
    var layer = AID(
      minimizing: problem.inner, startingAt: problem.start, solver: LBFGS(), adjoint: adjoint)
    // Rounding can keep a system from its tolerance; the error that is measured tells.
    layer.onFailure = .report
    return layer
  }

  private var solution: Tensor { problem.solution.cast(to: problem.scalarType) }

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
    SeparableReparameterization(
      curvatures: try layer(solver).optimalCurvatures(
        at: problem.hyperparameters, evaluatedAt: solution, of: problem.outer))
  }

  /// 1 / λmax of the Hessian at the solution.
  private func gradientStep() throws -> Double {
    let hessian = problem.regression.cast(to: .float64).jacobian(
      problem.solution, problem.hyperparameters.cast(to: .float64))
    return 1 / (try symmetricEigenvalues(hessian).max().scalar)
  }
}
