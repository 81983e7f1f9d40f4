import Autodiff
import Bilevel
import HyperparameterProblems
import Solvers

/// The inner solves of an outer iteration.
struct InnerEffort: Codable, Equatable {
  /// Gradient steps where there is no tolerance, and the steps that are unrolled.
  let steps: Int
  /// The part of the residual at zero that may remain; nil for a number of steps.
  let tolerance: Double?
  /// σ of the penalty baselines.
  let strength: Double
}

/// The hypergradient at one point, with its evidence.
struct HypergradientEvaluation {
  /// The validation loss where the hypergradient was taken.
  let loss: Double
  let gradient: [Double]
  /// ‖F‖ there, relative to ‖F‖ at zero.
  let innerResidual: Double
  /// By the library, if it was asked for and the method has an estimate.
  let estimatedRelativeError: Double?
}

/// Evaluates the hypergradient of a problem by one method.
///
/// The only place of `tune` that knows how hypergradients are computed.
struct TuneEstimation {
  typealias Layer = AID<Tensor, Tensor>
  // The program is called Hypergradient too.
  typealias Estimate = Bilevel.Hypergradient<Tensor, Tensor>

  let problem: TuneProblem
  let method: TuneMethod
  let effort: InnerEffort

  /// The hypergradient at log penalties.
  ///
  /// - Parameters:
  ///   - y: [n].
  ///   - warmStart: Where inner and adjoint solves start, updated.
  ///   - estimatesError: Whether to estimate the error too, at the cost of another hypergradient.
  func evaluate(
    at y: Tensor, warmStart: WarmStart<Tensor>, estimatesError: Bool = false
  ) throws -> HypergradientEvaluation {
    if method == .exact { return try exact(y, warmStart) }
    let estimate: ErrorEstimate? = estimatesError ? .newton : nil
    let result =
      switch method {
      case .unrolled: try unrolled(y, .all, .full, estimate, warmStart)
      case .checkpointed: try unrolled(y, .all, .checkpointed(), estimate, warmStart)
      case .lastSteps(let count): try unrolled(y, .last(count), .full, estimate, warmStart)
      case .oneStep: try unrolled(y, .last(1), .full, estimate, warmStart)
      case .valueFunction:
        try penalised(y, .valueFunction(strength: effort.strength), estimate)
      case .gradientPenalty: try penalised(y, .gradient(strength: effort.strength), estimate)
      default: try implicit(y, estimate, warmStart)
      }
    return HypergradientEvaluation(
      loss: result.value.scalar, gradient: result.gradient.scalars,
      innerResidual: result.record.inner.relativeResidual,
      estimatedRelativeError: result.record.estimatedRelativeError)
  }

  private var origin: Tensor { Tensor.zeros([problem.size]) }

  private func exact(_ y: Tensor, _ warmStart: WarmStart<Tensor>) throws -> HypergradientEvaluation
  {
    let x = try problem.solution(at: y, from: warmStart.inner)
    warmStart.inner = x
    let gradient = try problem.outer.exactHypergradient(problem.regression, at: y, solution: x)
    return HypergradientEvaluation(
      loss: problem.validationLoss(x, y).scalar, gradient: gradient.scalars, innerResidual: 0,
      estimatedRelativeError: nil)
  }

  // MARK: - Implicit differentiation

  private func implicit(
    _ y: Tensor, _ estimate: ErrorEstimate?, _ warmStart: WarmStart<Tensor>
  ) throws -> Estimate {
    let step = problem.innerStep(at: y)
    let solver =
      effort.tolerance.map {
        GradientDescent(
          step: .fixed(step),
          stopping: StoppingRule(relative: $0, maximumIterations: 1_000_000))
      } ?? GradientDescent(step: .fixed(step), iterations: effort.steps)
    let isInverted = method != .identity
    var layer = Layer(
      minimizing: problem.inner, startingAt: origin, solver: solver,
      adjoint: isInverted ? linearSolver : IdentityInverse(step: step))
    // A number of steps reaches no tolerance, which is the point of it; what does not may is checked
    // below.
    layer.onFailure = .report
    var start: Tensor?
    if method == .repExponential { start = try solutionWithoutZeros(layer, y, warmStart) }
    let result = try layer.hypergradient(
      at: y, evaluatedAt: start, estimator: estimator, errorEstimate: estimate,
      warmStart: warmStart,
      of: problem.validationLoss)
    if effort.tolerance != nil, start == nil, !result.record.inner.isConverged {
      throw SolverError.unsolved(result.record.inner, of: .inner)
    }
    // 10⁻³ is the loosest tolerance that the layer itself asks for.
    let unsolved = result.record.linearSolves.first { !($0.relativeResidual <= 1e-3) }
    if isInverted, let unsolved { throw SolverError.unsolved(unsolved, of: .adjoint) }
    return result
  }

  /// The inner solution for log |x|, which has no coordinate where x is 0.
  private func solutionWithoutZeros(
    _ layer: Layer, _ y: Tensor, _ warmStart: WarmStart<Tensor>
  ) throws -> Tensor {
    let solution = try layer.solution(at: y, warmStart: warmStart)
    if effort.tolerance != nil, !solution.status.isConverged {
      throw SolverError.unsolved(solution.status, of: .inner)
    }
    if let index = solution.value.scalars.firstIndex(of: 0) {
      throw TuneError.zeroCoefficient(
        feature: problem.data.training.name(ofFeature: index))
    }
    return solution.value
  }

  private var linearSolver: any LinearSolver {
    // In coordinates log |x| the Hessian has the addition diag(F / x), which can make it indefinite.
    method == .repExponential ? MINRES() : ConjugateGradient()
  }

  private var estimator: HypergradientEstimator<Tensor> {
    switch method {
    case .newton: .preconditioned(NewtonStep(solver: DenseCholesky()))
    case .conjugateGradients(let count):
      .preconditioned(ConjugateGradientStep(iterations: count))
    case .diagonal: .preconditioned(DiagonalStep())
    case .lbfgs: .preconditioned(LBFGSStep())
    case .linearized: .linearized
    case .repExponential: .reparameterized(ExponentialReparameterization())
    case .repDiagonal: .reparameterized(DiagonalReparameterization())
    case .repFull: .reparameterized(FullReparameterization())
    case .repNewton: .reparameterized(NewtonReparameterization())
    default: .plain
    }
  }

  // MARK: - Unrolling and penalties

  private func unrolled(
    _ y: Tensor, _ span: ITD<Tensor, Tensor>.Span, _ memory: ITD<Tensor, Tensor>.Memory,
    _ estimate: ErrorEstimate?, _ warmStart: WarmStart<Tensor>
  ) throws -> Estimate {
    let layer = ITD(
      minimizing: problem.inner, startingAt: origin,
      update: .gradientDescent(step: problem.innerStep(at: y)), steps: effort.steps,
      differentiating: span, memory: memory)
    return try layer.hypergradient(
      at: y, errorEstimate: estimate, warmStart: warmStart, of: problem.validationLoss)
  }

  private func penalised(
    _ y: Tensor, _ baseline: PenaltyBaseline, _ estimate: ErrorEstimate?
  ) throws -> Estimate {
    // Differences of two inner solutions are multiplied by σ, so both are solved tightly.
    let layer = Layer(
      minimizing: problem.inner, startingAt: origin,
      solver: LBFGS(stopping: StoppingRule(relative: 1e-9, maximumIterations: 10_000)))
    return try layer.penaltyHypergradient(
      at: y, baseline, errorEstimate: estimate, of: problem.validationLoss)
  }
}
