import Autodiff

extension Certification {
  /// δ with F₁ δ = F, as far as the judgement needs it.
  mutating func newtonStep() throws(SolverError) -> Step {
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
  private func plainlyTooLong() throws(SolverError) -> Tensor? {
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

  private mutating func denseStep() throws(SolverError) -> Step {
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
        weakDirection: factors.weakDirection(like: x), leastCurvature: nil, factors: factors))
  }

  // MARK: Minima

  /// Conjugate gradients from zero, as far as a decision needs them.
  ///
  /// They refuse as soon as ‖δₖ‖, which only grows, is too long, and accept when ‖δₖ‖ + ‖rₖ‖ / λ is short
  /// enough, with λ from Ritz values. Nil where neither happens.
  private func conjugateGradientStep() throws(SolverError) -> Step? {
    let size = norm(residual)
    if size == 0 {
      return try accepted(.zeros(like: x), slack: 0, energy: 0)
    }
    // In units of F, whose square may underflow.
    var steps = ConjugateGradientSteps(residual / size)
    func error(_ slack: Double = 0) -> Double { size * relativeError(steps.x, slack: slack) }
    let limit = min(10 * x.elementCount, 1000)
    while steps.count < limit, steps.square > 0 {
      let direction = steps.direction
      if let curvature = try steps.advance(jacobian) {
        return try stopped(at: direction, curvature)
      }
      let isTooLong = error() > (isFinal ? 1 : accuracy)
      if isTooLong, !isWithinRounding || steps.count > 20 {
        // A few more steps tell how far off the point is, and so when to ask again.
        if steps.count >= 5 || error() > accuracy.squareRoot() { return .tooLong(size * steps.x) }
        continue
      }
      guard steps.count >= 3, steps.count <= 20 || steps.count.isMultiple(of: 5) else { continue }
      let own = 2 * steps.square.squareRoot() / steps.leastRitzPair.value
      // Beyond, what the recurrence finds is rounding.
      let floor = 1e-3 * x.scalarType.ulpOfOne.squareRoot()
      let isSettled = steps.square.squareRoot() <= floor || own <= 0.1 * norm(steps.x)
      guard error(own) <= accuracy || isSettled else { continue }
      switch try leastCurvature() {
      case .refused(let outcome): return .refused(outcome)
      case .unsettled: return nil
      case .found(let least, let direction):
        let slack = max(own, 2 * steps.square.squareRoot() / least)
        guard error(slack) <= accuracy || isSettled && slack <= 0.5 * norm(steps.x) else {
          continue
        }
        // What rounding leaves has to be measured in x, for which F₁ is formed while that is cheap.
        if error(slack) > accuracy, x.elementCount <= Self.denseFallbackLimit { return nil }
        return .found(
          NewtonStep(
            step: size * steps.x, slack: size * slack,
            energy: size * size * (steps.energy + slack * steps.square.squareRoot()),
            weakDirection: direction, leastCurvature: least, factors: nil))
      }
    }
    return nil
  }

  /// A step that is zero, or nil where the curvature cannot be told.
  private func accepted(
    _ step: Tensor, slack: Double, energy: Double
  ) throws(SolverError) -> Step? {
    switch try leastCurvature() {
    case .refused(let outcome): .refused(outcome)
    case .unsettled: nil
    case .found(let least, let direction):
      .found(
        NewtonStep(
          step: step, slack: slack, energy: energy, weakDirection: direction,
          leastCurvature: least, factors: nil))
    }
  }

  /// What a direction without positive curvature means; nil where a scaled matrix may know better.
  private func stopped(at direction: Tensor, _ curvature: Double) throws(SolverError) -> Step? {
    guard curvature.isFinite else { return .refused(.notFinite) }
    let blocks = [SolverStatus.BlockShare].largest(of: direction.scalars, in: jacobian.blocks)
    let rounding =
      100 * x.scalarType.ulpOfOne * norm(try jacobian(direction)) / norm(direction)
    if curvature < -rounding { return .refused(.indefinite(curvature: curvature, blocks: blocks)) }
    return x.elementCount <= Self.denseFallbackLimit ? nil : .refused(.singular(blocks: blocks))
  }

  /// What a random start of Lanczos' method says of the least eigenvalue.
  private enum LeastCurvature {
    case found(Double, direction: Tensor)
    case refused(SolverStatus.Outcome)
    case unsettled
  }

  /// The least curvature, as a random right-hand side sees it.
  ///
  /// F may have no part in a direction of negative or very small curvature; random numbers have one in
  /// all. The least Ritz value counts once its vector is an eigenvector, to half of it; where that does
  /// not happen in 300 steps, F₁ is formed for up to 500 unknowns, and above a tenth of the value counts.
  private func leastCurvature() throws(SolverError) -> LeastCurvature {
    var generator = PhiloxGenerator(seed: 0x4C41_4E43)
    var steps = ConjugateGradientSteps(normalVector(like: x, using: &generator))
    let start = steps.square
    let isSmall = x.elementCount <= Self.denseFallbackLimit
    // Longer than forming the matrix takes is too long.
    let limit = isSmall ? max(20, x.elementCount / 4) : 300
    for count in 1...limit {
      // The Krylov space is exhausted: every eigenvalue has been seen.
      if steps.square <= x.scalarType.ulpOfOne * start {
        return .found(steps.leastRitzPair.value, direction: steps.x)
      }
      let direction = steps.direction
      if let curvature = try steps.advance(jacobian) {
        guard case .refused(let outcome)? = try stopped(at: direction, curvature) else {
          return .unsettled
        }
        return .refused(outcome)
      }
      guard count >= 15, count <= 60 ? count.isMultiple(of: 5) : count.isMultiple(of: 40) else {
        continue
      }
      let pair = steps.leastRitzPair
      if pair.error <= 0.5 * pair.value { return .found(pair.value, direction: steps.x) }
    }
    return isSmall ? .unsettled : .found(0.1 * steps.leastRitzPair.value, direction: steps.x)
  }

  // MARK: Roots and fixed points

  /// GMRES for δ, and for a random right-hand side, which shows how long A⁻¹ can make a residual.
  private func krylovStep() throws(SolverError) -> Step? {
    if !isFinal, let bound = try plainlyTooLong() { return .tooLong(bound) }
    let n = x.elementCount
    let solver = GMRES(maximumIterations: min(10 * n, 300))
    let size = norm(residual)
    var step = Tensor.zeros(like: x)
    var missing = 0.0
    if size > 0 {
      let solution = try solver.solve(LinearSystem(jacobian, residual / size, tolerance: 1e-3))
      guard solution.status.isConverged else { return nil }
      (step, missing) = (size * solution.value, size * solution.status.residual)
      if !isFinal, relativeError(step) > accuracy, !isWithinRounding { return .tooLong(step) }
    }
    var generator = PhiloxGenerator(seed: 0x4C41_4E43)
    let random = normalVector(like: x, using: &generator)
    let probe = try solver.solve(
      LinearSystem(jacobian, random, tolerance: min(1e-2, 0.01 / Double(n).squareRoot())))
    guard probe.status.isConverged else { return nil }
    // E‖A⁻¹ z‖² is the squared Frobenius norm of A⁻¹.
    let gain = norm(probe.value)
    // Rounding and doubtful cases are for the factors, while they are cheap.
    let slack = missing * gain
    if relativeError(step, slack: slack) > accuracy, n <= Self.denseFallbackLimit { return nil }
    return .found(
      NewtonStep(
        step: step, slack: slack, energy: 0, weakDirection: probe.value, leastCurvature: 1 / gain,
        factors: nil))
  }
}
