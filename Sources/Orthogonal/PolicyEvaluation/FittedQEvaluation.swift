import Autodiff
import Inference
import Solvers

/// Evaluation of a policy from logged transitions, with confidence intervals.
///
/// It solves the bilevel problem
///
///     Q_ω(s, a) = ωᵀ ψ(s, a)
///     h_ω = argmin_h E[½ (h(S, A) − g_ω)²],   g_ω = R + γ (1 − terminal) ωᵀ E_π[ψ(S′, a′)]
///     F(ω) = E[½ (Q_ω(S, A) − h_ω(S, A))²]
///
/// whose minimiser has the smallest Bellman error of the class. The orthogonal root has errors of
/// nuisances in products only and the sandwich covariance. The value of the policy is linear in it:
/// v = E[ωᵀ ψ(s₀, π(s₀))] over initial states.
///
///     let evaluation = try FittedQEvaluation(features: features, discount: 0.95)
///     let result = try evaluation.evaluate(policy, on: transitions, from: .firstOfTrajectories)
///     print(result.summary())
public struct FittedQEvaluation: Sendable {
  /// How ω is found.
  public enum Method: String, Sendable, CaseIterable, Codable {
    /// The root of the orthogonal gradient of F.
    case orthogonal
    /// The root of the plug-in gradient, biased by every error of a nuisance and with too short
    /// intervals.
    case plugIn
    /// Residual-gradient minimisation of mean δ² of single transitions (Baird 1995): biased by the
    /// noise of transitions on any amount of data.
    case residual
    /// LSTD(Q): mean ψ (ψ − γ ψ′)ᵀ ω = mean ψ R (Bradtke and Barto 1996), the fixed point of the
    /// projected Bellman operator.
    ///
    /// Where the class holds the true action value it has the same limit as `orthogonal`; elsewhere
    /// another one.
    case temporalDifference
  }

  /// ψ.
  public let features: StateActionFeatures
  /// γ, in [0, 1).
  public let discount: Double
  /// The learner of E[R | S, A] and E[γ ψ(S′, π) | S, A], from X = (S, A).
  public let nuisances: NuisanceLearner
  /// The folds of trajectories that nuisances are fitted apart from.
  public let crossFitting: CrossFitting
  /// ρ of a penalty ½ ρ ‖ω‖² beside F, which intervals do not account for: they are for the
  /// penalised root.
  public let ridge: Double

  /// A way of evaluating policies.
  ///
  /// Predictions of nuisances are never cut to the range of their targets (`clipsPredictions` is
  /// ignored): features of next states move together, in a table Σₖ jₖ = γ P(no end), and cutting
  /// each by itself would break that by more than its intervals, since the error of a value grows as
  /// 1 / (1 − γ).
  ///
  /// - Throws: `PolicyEvaluationError` for a discount outside [0, 1) or a negative ridge.
  public init(
    features: StateActionFeatures, discount: Double, nuisances: NuisanceLearner = .kernelRidge(),
    crossFitting: CrossFitting = CrossFitting(), ridge: Double = 0
  ) throws(SolverError) {
    guard discount >= 0, discount < 1 else {
      throw .function(PolicyEvaluationError.discount(discount))
    }
    guard ridge >= 0, ridge.isFinite else { throw .function(PolicyEvaluationError.ridge(ridge)) }
    self.features = features
    self.discount = discount
    var nuisances = nuisances
    nuisances.clipsPredictions = false
    self.nuisances = nuisances
    self.crossFitting = crossFitting
    self.ridge = ridge
  }

  /// Evaluates a policy.
  ///
  /// Values of several policies on the same transitions know that they are dependent: their
  /// difference has the right standard error.
  ///
  /// - Parameters:
  ///   - policy: π, which need not be the policy that acted, but where it goes there must be
  ///     transitions.
  ///   - transitions: What was logged.
  ///   - initial: Where the process starts.
  ///   - method: How ω is found.
  /// - Throws: `SolverError`, with a `PolicyEvaluationError`, `OrthogonalError` or
  ///   `InferenceError` about the data.
  public func evaluate(
    _ policy: EvaluationPolicy, on transitions: Transitions, from initial: InitialStates,
    by method: Method = .orthogonal
  ) throws(SolverError) -> PolicyEvaluation {
    let start = try InitialFeatures(initial, transitions, policy, features)
    let problem = try problem(of: policy, on: transitions)
    let fit = try fit(problem, by: method)
    let coefficients = try root(fit)
    var reference: Estimate?
    if method == .orthogonal, ridge == 0 {
      // The other method may not have a root; then there is nothing to compare with.
      reference = try? root(try self.fit(problem, by: .temporalDifference))
    }
    return PolicyEvaluation(
      method: method, value: try start.value(coefficients), coefficients: coefficients, fit: fit,
      bellmanError: method == .orthogonal ? try fit.bellmanError(at: coefficients.value) : nil,
      methodDifference: reference.map { coefficients - $0 },
      slopeUncertainty: method == .orthogonal
        ? try fit.slopeUncertainty(
          of: start.mean, at: coefficients, curvature: ridge) : nil,
      slopeSingularValues: try calling { try singularValues(fit.meanSlope).scalars.reversed() },
      setting: self,
      transitions: transitions)
  }

  /// The bilevel problem of a policy, for oracles, other scores and bands.
  public func problem(
    of policy: EvaluationPolicy, on transitions: Transitions
  ) throws(SolverError) -> AffineProblem {
    let current = try features(transitions.states, transitions.actions)
    let next = try policy.expectedFeatures(features, at: transitions.nextStates, .next)
    guard next.shape == current.shape else {
      throw .shape("features of next states", next, "\(current.shape)")
    }
    let slope = discount * transitions.continues.expandingShape(at: 1) * next
    // A constant is a function of (S, A), and there is nothing to learn about it.
    let isConstant = (slope.max(alongAxis: 0) .== slope.min(alongAxis: 0)).elements(as: Bool.self)
    let rewards = transitions.rewards
    return try AffineProblem(
      inputs: transitions.inputs, innerIntercept: rewards, innerSlope: slope, outerSlope: current,
      known: .init(
        slopeColumns: Set(isConstant.indices.filter { isConstant[$0] }),
        intercept: rewards.max().scalar == rewards.min().scalar),
      // The identity of the transitions and not of the features made of them, so that values of
      // several policies and features are known to be dependent.
      groups: transitions.trajectories, sample: transitions.sample)
  }

  // MARK: Steps

  private func fit(
    _ problem: AffineProblem, by method: Method
  ) throws(SolverError) -> AffineFit {
    switch method {
    case .orthogonal:
      return try problem.fit(.orthogonal, nuisances: nuisances, crossFitting: crossFitting)
    case .plugIn:
      return try problem.fit(.plugIn, nuisances: nuisances, crossFitting: crossFitting)
    case .residual:
      // The score has no nuisance.
      let count = problem.count
      return try problem.fit(
        .residual,
        given: AffineNuisances(
          intercept: .zeros([count]), slope: .zeros([count, problem.dimension]),
          outcome: .zeros([count])))
    case .temporalDifference:
      let terms = AffineTerms(
        residual: .init(
          factor: problem.outerSlope, intercept: -problem.innerIntercept,
          slope: problem.outerSlope - problem.innerSlope))
      return AffineFit(
        splits: [
          .init(parts: [.init(terms: terms, sample: problem.sample, clusters: problem.groups)])
        ],
        names: problem.names, nuisanceErrors: [],
        settings: CrossFittedSettings(score: method.rawValue))
    }
  }

  private func root(_ fit: AffineFit) throws(SolverError) -> Estimate {
    guard ridge > 0 else { return try fit.root() }
    let ridge = ridge
    return try fit.root { 0.5 * ridge * square($0).sum() }
  }
}
