import Autodiff

/// The judgement of one point by the rule of `SolutionCertificate`.
///
/// Up to 50 unknowns F₁ is formed and factorised, which decides everything. Above, conjugate gradients
/// (minima) or GMRES (roots, fixed points) find the Newton step as far as the judgement needs it; where
/// they cannot, F₁ is formed for up to 500 unknowns. A point that is plainly off costs one or two
/// products.
package struct Certification {
  let problem: InnerProblem
  let x: Tensor
  /// F(x).
  let residual: Tensor
  /// τ.
  let accuracy: Double
  let typicalMagnitude: Double
  /// Whether the search has ended: then no step is taken for granted to be too long, and an objective
  /// that cannot fall by more than its rounding is as good as it gets.
  let isFinal: Bool
  let jacobian: LinearOperator
  /// Evaluations of F and f.
  var evaluations = 0
  /// Whether F is a gradient as it claims: a rule of the user's may have made it one that is not.
  var isSymmetric = true

  static let denseLimit = 50
  package static let denseFallbackLimit = 500

  /// The verdict, and F₁ for whoever needs it next.
  package typealias Judgement = (certificate: SolutionCertificate, jacobian: LinearOperator?)

  /// δ with F₁ δ = F, or why there is none.
  enum Step {
    case found(NewtonStep)
    /// ‖δ‖ ≥ ‖bound‖: too long already.
    case tooLong(Tensor)
    case refused(SolverStatus.Outcome)
  }

  /// δ and what was learnt of F₁ on the way.
  struct NewtonStep {
    let step: Tensor
    /// A bound of what is missing of ‖δ‖.
    let slack: Double
    /// δᵀF.
    let energy: Double
    /// A direction that F₁ changes little; nil where none is known.
    let weakDirection: Tensor?
    /// An estimate of the least curvature, or of 1 / ‖F₁⁻¹‖, where there are no factors.
    let leastCurvature: Double?
    /// The factors of F₁, where there are any.
    let factors: DenseFactorization?
  }

  /// Judges x.
  ///
  /// - Parameter residual: F(x).
  package static func judge(
    _ problem: InnerProblem, at x: Tensor, residual: Tensor, rule: StoppingRule, isFinal: Bool
  ) throws(SolverError) -> Judgement {
    let accuracy = rule.accuracy(for: x.scalarType)
    guard x.isFinite, residual.isFinite, x.elementCount > 0 else {
      let isEmpty = x.elementCount == 0
      return (
        SolutionCertificate(
          grounds: isEmpty ? .newtonStep : nil, refusal: isEmpty ? nil : .notFinite,
          relativeError: isEmpty ? 0 : .nan, energyError: nil, accuracy: accuracy, products: 0),
        nil
      )
    }
    var certification = Certification(
      problem: problem, x: x, residual: residual, accuracy: accuracy,
      typicalMagnitude: rule.typicalMagnitude, isFinal: isFinal,
      jacobian: try problem.jacobian(at: x))
    return (try certification.certificate(), certification.jacobian)
  }

  /// Whether F₁ has to be positive definite.
  var isMinimum: Bool { problem.formulation.objective != nil && isSymmetric }
}

// MARK: - The rule

extension Certification {
  private mutating func certificate() throws(SolverError) -> SolutionCertificate {
    if let idle = try jacobian.idleComponents() { return verdict(refusal: idle) }
    switch try newtonStep() {
    case .refused(let outcome): return verdict(refusal: outcome)
    case .tooLong(let bound): return verdict(refusal: .inaccurate, error: relativeError(bound))
    case .found(let newton):
      jacobian.leastCurvature = newton.leastCurvature
      return newton.factors == nil ? try iterative(newton) : try direct(newton)
    }
  }

  /// The rule where F₁⁻¹ is at hand: rounding is measured in x.
  private mutating func direct(_ newton: NewtonStep) throws(SolverError) -> SolutionCertificate {
    let probe = Probe(rowScale: newton.factors?.rowScale)
    let noise = try noise(newton, probe)
    let energy = try energyError(newton)
    let error = max(relativeError(newton.step), energy ?? 0)
    let isShort = error <= accuracy
    /// How long a tensor's step may be for rounding to explain it.
    func rounding(_ range: Range<Int>) -> Double { 16 * noise.length(in: range) }
    // On the way to zero nothing but smallness is left to judge by.
    let vanishing = blocks.filter { isVanishing($0, newton.step) }
    let others = blocks.filter { !vanishing.contains($0) }
    let otherEnergy = others.reduce(0) { $0 + inner(part(newton.step, $1), part(residual, $1)) }
    let isRounding =
      (others.isEmpty || otherEnergy <= 256 * noise.energy)
      && others.allSatisfy {
        norm(part(newton.step, $0)) <= max(isShort ? 0 : accuracy * size($0), rounding($0))
      }
    // A tensor no larger than its uncertainty is zero, which no relative figure describes.
    let zeros =
      vanishing
      + others.filter {
        norm(part(newton.step, $0)) > accuracy * size($0) && size($0) <= 4 * rounding($0)
      }
    let figure = largestRatio(of: blocks.filter { !zeros.contains($0) }) {
      max(norm(part(newton.step, $0)), rounding($0) / 4)
    }
    guard figure <= limitOfRounding else {
      return try tooLong(newton, max(figure, error), energy, noise.size)
    }
    guard isShort || isRounding else {
      return try objectiveVerdict(newton, error, energy, noise.size)
    }
    if let refusal = try irregularity(newton, probe, noise, zeros, isRounding: isRounding) {
      return verdict(refusal: refusal, error: figure, energy: energy)
    }
    return isShort
      ? verdict(grounds: .newtonStep, error: error, energy: energy)
      : verdict(grounds: .rounding, error: figure, energy: energy)
  }

  /// The error that rounding may leave: √τ, and no more than the larger of 10 τ and 1e-4.
  private var limitOfRounding: Double { min(accuracy.squareRoot(), max(10 * accuracy, 1e-4)) }

  /// Why the linear model of F does not hold as far as the point is uncertain, so that there may be no
  /// single solution next to it; nil where it does.
  private mutating func irregularity(
    _ newton: NewtonStep, _ probe: Probe, _ noise: Noise, _ zeros: [Range<Int>], isRounding: Bool
  ) throws(SolverError) -> SolverStatus.Outcome? {
    guard try isResolved(along: newton.weakDirection, probe, noise.size) else { return .degenerate }
    if !isRounding, zeros.isEmpty {
      return try irregularity(over: newton.step, probe, slack: 16 * noise.size)
    }
    // Zero tensors are so where F is linear up to zero.
    var mask = [Double](repeating: 0, count: x.elementCount)
    for range in zeros { for index in range { mask[index] = -1 } }
    let step = x * Tensor(mask).cast(to: x.scalarType)
    if norm(step) == 0 { return nil }
    return try isLinear(over: step, probe, slack: 64 * noise.size) ? nil : .degenerate
  }

  /// Whether F is linear over the Newton step: to a fifth, or it leads to no solution, and so nearly that
  /// the derivative at x is that at the solution.
  private mutating func irregularity(
    over newton: Tensor, _ probe: Probe, slack: Double
  ) throws(SolverError) -> SolverStatus.Outcome? {
    if norm(newton) == 0 { return nil }
    let step = combination(-1, newton, 0, newton)
    let (deviation, change) = try nonlinearity(over: step, probe)
    if deviation <= min(accuracy.squareRoot(), 100 * accuracy) * change + slack { return nil }
    return deviation <= 0.2 * change + slack ? .inaccurate : .degenerate
  }

  /// The rule where only products are at hand: rounding is measured in F.
  private mutating func iterative(_ newton: NewtonStep) throws(SolverError) -> SolutionCertificate {
    let energy = try energyError(newton)
    let error = max(relativeError(newton.step, slack: newton.slack), energy ?? 0)
    let probe = Probe(rowScale: nil)
    let back = combination(-1, newton.step, 0, newton.step)
    if error <= accuracy {
      var refusal = try irregularity(over: newton.step, probe, slack: 0)
      if refusal != nil {
        refusal = try irregularity(over: newton.step, probe, slack: 16 * (try noise(probe).size))
      }
      if refusal == nil, try !isResolved(along: newton.weakDirection, probe, nil) {
        refusal = .degenerate
      }
      return verdict(
        grounds: refusal == nil ? .newtonStep : nil, refusal: refusal, error: error, energy: energy)
    }
    let (noise, size) = (try noise(probe).size, norm(residual))
    if size <= 16 * noise {
      let reach = max(1, 16 * noise / size)
      let figure = errorBeyondRounding(newton, reach, noise)
      if figure <= limitOfRounding,
        try isLinear(
          over: combination(reach, back, 0, back), probe, slack: 2 * noise),
        try isResolved(along: newton.weakDirection, probe, noise)
      {
        return verdict(grounds: .rounding, error: figure, energy: energy)
      }
    }
    return try objectiveVerdict(newton, error, energy, noise)
  }

  /// What is left of the rule where the step is too long: an objective that can fall no further.
  private mutating func objectiveVerdict(
    _ newton: NewtonStep, _ error: Double, _ energy: Double?, _ noise: Double
  ) throws(SolverError) -> SolutionCertificate {
    let size = norm(residual)
    if isFinal, isMinimum, size > 0, let floor = try objectiveRounding(), newton.energy <= 2 * floor
    {
      let probe = Probe(rowScale: nil)
      let reach = max(
        1, (2 * floor / max(newton.energy, .leastNormalMagnitude)).squareRoot(), 16 * noise / size)
      let figure = errorBeyondRounding(newton, reach, noise)
      if figure <= 10 * accuracy,
        try isLinear(
          over: combination(-reach, newton.step, 0, newton.step), probe, slack: 2 * noise),
        try isResolved(along: newton.weakDirection, probe, noise)
      {
        return verdict(grounds: .objectiveRounding, error: figure, energy: energy)
      }
    }
    return try tooLong(newton, error, energy, noise)
  }

  /// The refusal of a step that is too long.
  ///
  /// On the way to infinity, or to a multiple root, it may be short, but the next one is as long.
  private mutating func tooLong(
    _ newton: NewtonStep, _ error: Double, _ energy: Double?, _ noise: Double
  ) throws(SolverError) -> SolutionCertificate {
    var refusal = SolverStatus.Outcome.inaccurate
    if isFinal, error <= 0.3 {
      let probe = Probe(rowScale: newton.factors?.rowScale)
      refusal = try irregularity(over: newton.step, probe, slack: 16 * noise) ?? .inaccurate
    }
    return verdict(refusal: refusal, error: error, energy: energy)
  }

  private func verdict(
    grounds: SolutionCertificate.Grounds? = nil, refusal: SolverStatus.Outcome? = nil,
    error: Double = .nan, energy: Double? = nil
  ) -> SolutionCertificate {
    SolutionCertificate(
      grounds: grounds, refusal: refusal, relativeError: error, energyError: energy,
      accuracy: accuracy, products: jacobian.productCount + evaluations)
  }
}
