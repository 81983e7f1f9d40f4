import Autodiff

extension Certification {
  /// δ with F₁ δ = F, as far as the judgement needs it.
  mutating func newtonStep() throws(BilevelError) -> Step {
    let n = x.elementCount
    if n <= Self.denseLimit || problem.prefersDenseJacobian {
      if !isFinal, n > 1, let bound = try plainlyTooLong() { return .tooLong(bound) }
      return try denseStep()
    }
    if isMinimum { isSymmetric = try jacobian.asymmetryRefusal() == nil }
    let step = isMinimum ? try conjugateGradientStep() : try krylovStep()
    if let step { return step }
    return n <= Self.denseFallbackLimit ? try denseStep() : .refused(.inaccurate)
  }

  /// A step along F from one product that is too long already; nil where that does not show.
  ///
  /// For a positive definite F₁ its length is a lower bound of ‖δ‖. Elsewhere it is a guess, which can
  /// only postpone the acceptance of a point.
  private func plainlyTooLong() throws(BilevelError) -> Tensor? {
    let image = try jacobian(residual)
    let length =
      isMinimum
      ? inner(residual, residual) / inner(residual, image) : 0.1 * norm(residual) / norm(image)
    guard length > 0, length.isFinite else { return nil }
    let step = length * residual
    return relativeError(step) > accuracy.squareRoot() && !isWithinRounding ? step : nil
  }

  /// Whether F may be all rounding: one of its entries is no more than some ulps of x.
  private var isWithinRounding: Bool {
    norm(residual) <= 16 * x.scalarType.ulpOfOne * norm(x)
  }

  // MARK: Dense

  private mutating func denseStep() throws(BilevelError) -> Step {
    var factors =
      try isMinimum ? DenseCholesky.factors(of: jacobian) : DenseLU.factors(of: jacobian)
    if case .notSymmetric? = factors.failure {
      isSymmetric = false
      factors = try DenseLU.factors(of: jacobian)
    }
    if let failure = factors.failure { return .refused(failure) }
    let step = factors.solved(residual, transposed: false).x
    guard step.isFinite else { return .refused(.notFinite) }
    return .found(
      NewtonStep(
        step: step, slack: 0, energy: inner(step, residual),
        weakDirection: factors.weakDirection(like: x), factors: factors))
  }

  // MARK: Minima

  /// Conjugate gradients from zero, as far as a decision needs them.
  ///
  /// They refuse as soon as ‖δₖ‖, which only grows, is too long, and accept when ‖δₖ‖ + ‖rₖ‖ / λ is short
  /// enough, with λ from Ritz values. Nil where neither happens.
  private func conjugateGradientStep() throws(BilevelError) -> Step? {
    var steps = ConjugateGradientSteps(residual)
    let limit = min(10 * x.elementCount, 1000)
    var probe: (curvature: Double, direction: Tensor)?
    while steps.count < limit {
      if steps.square == 0 { break }
      let direction = steps.direction
      if let curvature = try steps.advance(jacobian) {
        return try stopped(at: direction, curvature, steps)
      }
      let lower = relativeError(steps.x)
      if lower > (isFinal ? 1 : accuracy.squareRoot()), !isWithinRounding || steps.count > 20 {
        return .tooLong(steps.x)
      }
      guard steps.count >= 3 else { continue }
      if !isFinal, lower > accuracy, !isWithinRounding, probe == nil {
        if slack(steps, .infinity) <= 0.5 * norm(steps.x) { return .tooLong(steps.x) }
        continue
      }
      if probe == nil {
        switch try leastCurvature() {
        case .refused(let outcome): return .refused(outcome)
        case .atLeast(let value, let direction): probe = (value, direction)
        case .unsettled: return nil
        }
      }
      let slack = slack(steps, probe?.curvature ?? 0)
      let isDecided = lower > accuracy ? slack <= 0.5 * norm(steps.x) : false
      // Beyond, what the recurrence finds is rounding.
      let floor = 1e-3 * x.scalarType.ulpOfOne.squareRoot() * norm(residual)
      if isDecided || relativeError(steps.x, slack: slack) <= accuracy
        || steps.square.squareRoot() <= floor
      {
        return found(steps, slack, probe?.direction)
      }
    }
    guard steps.square == 0 else { return nil }
    if !isFinal, relativeError(steps.x) > accuracy, !isWithinRounding { return .tooLong(steps.x) }
    switch try leastCurvature() {
    case .refused(let outcome): return .refused(outcome)
    case .atLeast(_, let direction): return found(steps, 0, direction)
    case .unsettled: return nil
    }
  }

  private func found(
    _ steps: ConjugateGradientSteps, _ slack: Double, _ weakDirection: Tensor? = nil
  ) -> Step {
    .found(
      NewtonStep(
        step: steps.x, slack: slack, energy: steps.energy + slack * steps.square.squareRoot(),
        weakDirection: weakDirection, factors: nil))
  }

  /// A bound of ‖δ − δₖ‖: ‖rₖ‖ over half of the least Ritz value seen.
  private func slack(_ steps: ConjugateGradientSteps, _ least: Double) -> Double {
    2 * steps.square.squareRoot() / min(least, steps.leastRitzValue)
  }

  private func stopped(
    at direction: Tensor, _ curvature: Double, _ steps: ConjugateGradientSteps
  ) throws(BilevelError) -> Step? {
    guard curvature.isFinite else { return .refused(.notFinite) }
    let blocks = [SolverStatus.BlockShare].largest(of: direction.scalars, in: jacobian.blocks)
    let isNegative =
      curvature < -100 * x.scalarType.ulpOfOne * norm(try jacobian(direction)) / norm(direction)
    return .refused(
      isNegative ? .indefinite(curvature: curvature, blocks: blocks) : .singular(blocks: blocks))
  }

  /// What a random start of Lanczos' method says of the least eigenvalue.
  private enum LeastCurvature {
    case atLeast(Double, direction: Tensor)
    case refused(SolverStatus.Outcome)
    case unsettled
  }

  /// The least curvature, as a random right-hand side sees it.
  ///
  /// F may have no part in a direction of negative or very small curvature; random numbers have one in
  /// all. Twenty steps, and more where the least Ritz value still falls.
  private func leastCurvature() throws(BilevelError) -> LeastCurvature {
    var generator = PhiloxGenerator(seed: 0x4C41_4E43)
    var steps = ConjugateGradientSteps(normalVector(like: x, using: &generator))
    let start = steps.square
    var last = Double.infinity
    for count in 1...100 {
      // The Krylov space is exhausted: every eigenvalue has been seen.
      if steps.square <= x.scalarType.ulpOfOne * start {
        return .atLeast(steps.leastRitzValue, direction: steps.x)
      }
      let direction = steps.direction
      if let curvature = try steps.advance(jacobian) {
        if case .refused(let outcome)? = try stopped(at: direction, curvature, steps) {
          return .refused(outcome)
        }
        return .unsettled
      }
      guard count >= 10, count.isMultiple(of: 5) else { continue }
      let value = steps.leastRitzValue
      if count >= 20, value > 0.8 * last { return .atLeast(value, direction: steps.x) }
      last = value
    }
    return x.elementCount <= Self.denseFallbackLimit
      ? .unsettled : .atLeast(0.1 * last, direction: steps.x)
  }

  // MARK: Roots and fixed points

  private func krylovStep() throws(BilevelError) -> Step? {
    if !isFinal, let bound = try plainlyTooLong() { return .tooLong(bound) }
    let limit = min(10 * x.elementCount, 300)
    let solution = try GMRES(maximumIterations: limit).solve(
      jacobian, residual, transposed: false, from: nil, tolerance: 1e-2)
    guard solution.status.isConverged else { return nil }
    return .found(
      NewtonStep(
        step: solution.value, slack: 0.1 * norm(solution.value), energy: 0, weakDirection: nil,
        factors: nil))
  }
}
