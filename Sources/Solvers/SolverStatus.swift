import Autodiff

/// How a solve ended, with the evidence: the one status type of inner and linear solvers.
public struct SolverStatus: Sendable, Equatable {
  /// Why a solver stopped.
  public enum Outcome: Sendable, Equatable {
    /// The point is a solution: by its certificate, or because its residual is at or below a threshold
    /// that was stated.
    case converged
    /// The permitted iterations were used up.
    case iterationLimit
    /// No further progress at working precision: no step lowers the residual or the objective.
    case stalled
    /// A NaN or an infinity appeared, or the iterates run off to infinity.
    case notFinite
    /// A point that was found by other means, or by an approximation, misses what is asked of it.
    case inaccurate
    /// F is not linear over its own Newton step: a multiple root, a flat minimum, or no solution at a
    /// finite point.
    case degenerate
    /// A direction v with vᵀ A v ≤ 0 was met where positive definiteness is required.
    ///
    /// `curvature` is vᵀ A v / ‖v‖²; `blocks` are the named parts with most of the direction.
    case indefinite(curvature: Double, blocks: [BlockShare])
    /// A matrix is singular to working precision; `blocks` are the named parts with most of its
    /// null direction.
    case singular(blocks: [BlockShare])
    /// The operator is not symmetric, as the method requires.
    ///
    /// `asymmetry` is |uᵀA v − vᵀA u| / (‖A u‖ + ‖A v‖) for random normal u and v, an estimate of
    /// ‖A − Aᵀ‖ / ‖A‖ (up to a factor of about two).
    case notSymmetric(asymmetry: Double)
    /// The iteration does not contract: the estimated spectral radius of its map is at least one.
    ///
    /// `admissibleStep` is a step that would contract, where one exists.
    case notContractive(spectralRadius: Double, admissibleStep: Double?)
  }

  /// The share of a direction's squared norm that lies in one named part of the vector.
  public struct BlockShare: Sendable, Equatable {
    /// The path of the tensor in the inner variable.
    public let name: String
    /// Between 0 and 1.
    public let share: Double

    /// The part of a direction that lies in one tensor of the tree.
    public init(name: String, share: Double) { (self.name, self.share) = (name, share) }
  }

  /// The method, as its type is called.
  public let method: String
  /// Why it stopped.
  public let outcome: Outcome
  /// The residual norm at the start and after each iteration.
  public let history: [Double]
  /// What the residual is compared with.
  ///
  /// Where a certificate decides, the residual up to which a point so near would be accepted; NaN where
  /// there is none.
  public let threshold: Double
  /// What relative residuals refer to: ‖b‖ of a linear system, ‖F‖ at the layer's initial point.
  public let scale: Double
  /// Evaluations of the residual, the gradient or the operator.
  public let evaluations: Int
  /// The number of iterations.
  public let iterations: Int
  /// The judgement of the last point of an inner solve; nil where a stated residual decides, and for
  /// linear systems.
  public let certificate: SolutionCertificate?
  /// Whether a residual that the user stated is reached, so that nobody asks for more.
  package let isAsAsked: Bool

  /// What a solver of one's own says of its run.
  ///
  /// - Parameters:
  ///   - iterations: nil where each has an entry in the history.
  ///   - certificate: The judgement of the last point. A layer asks for one itself where a solver says
  ///     that it converged and gives none.
  public init(
    method: String, outcome: Outcome, history: [Double], threshold: Double, scale: Double,
    evaluations: Int, iterations: Int? = nil, certificate: SolutionCertificate? = nil
  ) {
    self.init(
      method: method, outcome: outcome, history: history, threshold: threshold, scale: scale,
      evaluations: evaluations, iterations: iterations, certificate: certificate, isAsAsked: false)
  }

  /// A refusal before any iteration.
  package init(refusal: Outcome, by method: String, scale: Double = 0, evaluations: Int = 0) {
    self.init(
      method: method, outcome: refusal, history: [], threshold: 0, scale: scale,
      evaluations: evaluations)
  }

  package init(
    method: String, outcome: Outcome, history: [Double], threshold: Double, scale: Double,
    evaluations: Int, iterations: Int? = nil, certificate: SolutionCertificate?, isAsAsked: Bool
  ) {
    self.method = method
    self.outcome = outcome
    self.history = history
    self.threshold = threshold
    self.scale = scale
    self.evaluations = evaluations
    self.iterations = iterations ?? max(0, history.count - 1)
    self.certificate = certificate
    self.isAsAsked = isAsAsked
  }

  /// Whether the point is accepted as a solution.
  public var isConverged: Bool { outcome == .converged }

  /// Whether the method does not apply, so that what it returned is no approximation of anything.
  public var isRefusal: Bool {
    switch outcome {
    case .notSymmetric, .notContractive: true
    default: false
    }
  }

  /// The last residual norm.
  public var residual: Double { history.last ?? .nan }

  /// The last residual norm relative to the scale; 0 where both are 0.
  public var relativeResidual: Double { residual == 0 ? 0 : residual / scale }

  /// Whether the solve converged, or stopped where rounding left nothing to gain: at a relative
  /// residual below the square root of the unit roundoff.
  package func isAtWorkingPrecision(_ scalarType: ScalarType) -> Bool {
    let limit = scalarType == .float32 ? 3e-4 : 1.5e-8
    return isConverged || (outcome == .stalled && relativeResidual <= limit)
  }

  /// The estimated relative error of the solution: by its certificate, else what remains of ‖F‖.
  package var relativeError: Double {
    guard let certificate, certificate.isAccepted else { return relativeResidual }
    return certificate.relativeError
  }

  /// The status after one more step that left this residual.
  package func continued(to residual: Double) -> SolverStatus {
    let isConverged = residual <= threshold
    return with(
      outcome: isConverged ? .converged : outcome == .converged ? .inaccurate : outcome,
      residual: residual, certificate: certificate)
  }

  /// The status as the certificate of a point has it, which may be another point than the last.
  package func judged(_ certificate: SolutionCertificate, residual: Double?) -> SolverStatus {
    with(
      outcome: certificate.refusal ?? .converged, residual: residual, certificate: certificate)
  }

  /// The status of a converged solve that was continued to a lower residual.
  package func accepted(_ continuation: SolverStatus) -> SolverStatus {
    SolverStatus(
      method: method, outcome: .converged, history: history + continuation.history.dropFirst(),
      threshold: threshold, scale: scale, evaluations: evaluations + continuation.evaluations)
  }

  private func with(
    outcome: Outcome, residual: Double?, certificate: SolutionCertificate?
  ) -> SolverStatus {
    let last = residual ?? self.residual
    return SolverStatus(
      method: method, outcome: outcome, history: history + (residual.map { [$0] } ?? []),
      threshold: certificate?.threshold(residual: last) ?? threshold, scale: scale,
      evaluations: evaluations + 1, iterations: iterations + (residual == nil ? 0 : 1),
      certificate: certificate, isAsAsked: isAsAsked)
  }
}
