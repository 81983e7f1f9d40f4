import Autodiff

extension SolverStatus: CustomStringConvertible {
  /// One line: method, outcome, iterations, residual against threshold.
  public var description: String {
    if history.isEmpty { return "\(method): \(outcome.words)" }
    let start = "\(method): \(outcome.words) after \(iterations) iterations"
    guard let certificate else {
      return "\(start), residual \(number(residual)) (threshold \(number(threshold)))"
    }
    // A refusal that is the outcome has been named.
    let isNamed = certificate.refusal == outcome && !certificate.relativeError.isFinite
    return "\(start), \(isNamed ? "" : "\(certificate), ")residual \(number(residual))"
  }
  /// The end of the residual history, for messages.
  var historyTail: String {
    let tail = history.suffix(5).map(number).joined(separator: " → ")
    return history.count > 5 ? "… → \(tail)" : tail
  }

  /// The likely cause and what to do about it.
  var advice: String {
    switch outcome {
    case .converged: "nothing to do"
    case .iterationLimit: iterationAdvice
    case .stalled: stallAdvice
    case .inaccurate where certificate != nil:
      """
      the point is not near enough to a solution. Find it more accurately, or state the accuracy that \
      is enough. A solver function may also solve another problem than the layer's
      """
    case .inaccurate:
      """
      the point misses what was asked for. Find it more accurately, state what is enough \
      (\(number(relativeResidual)) relative was reached), or, where the start is already the \
      solution, give an absolute tolerance. A solver function may also solve another problem than \
      the layer's
      """
    case .degenerate:
      """
      near this point F is not linear even over its own Newton step, so that the solution is a multiple \
      root or a flat minimum, where no derivative exists, or lies at infinity (separated data, an \
      objective that falls without end). Regularise it, or change the data
      """
    case .notFinite where iterations == 0:
      """
      NaN in the data or the start, or an infinity, or a start outside the function's domain: its value \
      or its derivative is not finite there
      """
    case .notFinite:
      """
      a value overflowed, a function left its domain, or the objective falls without end (is its sign \
      right?). Use a smaller step, a line search, a start nearer to the solution, or regularise
      """
    case .indefinite(let curvature, let blocks) where curvature == 0:
      """
      the curvature is 0 along a direction in \(named(blocks)). The solution is not locally unique: \
      remove or regularise these parameters
      """
    case .indefinite(let curvature, let blocks):
      """
      the curvature is \(number(curvature)) along a direction in \(named(blocks)). The point is a \
      saddle or a maximum, or not yet a minimum: start elsewhere, solve it more accurately or \
      regularise these parameters. If a stationary point is meant, state it as the root of the gradient
      """
    case .singular(let blocks):
      """
      a null direction lies in \(named(blocks)). The solution is not locally unique: remove or \
      regularise these parameters
      """
    case .notSymmetric(let asymmetry):
      """
      two random products differ by \(number(asymmetry)) relative. Use GMRES, BiCGStab, \
      normal-equation CG or dense LU, which need no symmetry
      """
    case .notContractive(let radius, let step):
      "the spectral radius of the iteration is about \(number(radius)). "
        + (step.map { "A step below \(number($0)) contracts" }
          ?? "No step contracts: use GMRES or dense LU")
    }
  }

  /// What the certificate of the last point says to do; nil without one.
  private var certificateAdvice: String? {
    guard let certificate, !certificate.isAccepted else { return nil }
    if let refusal = certificate.refusal, refusal != outcome, refusal != .inaccurate {
      return SolverStatus(
        method: method, outcome: refusal, history: history, threshold: threshold, scale: scale,
        evaluations: evaluations
      ).advice
    }
    guard certificate.relativeError > 0.3 else { return nil }
    return """
      the Newton step there is \(number(certificate.relativeError)) of x: the point is not near a \
      solution, there may be none (separated data, an objective that falls without end), or a tensor \
      of the solution is zero. Then say from which size on it counts: StoppingRule(typicalMagnitude:)
      """
  }

  private var stallAdvice: String {
    if let certificateAdvice { return certificateAdvice }
    let lowest = history.min() ?? 0
    guard let first = history.first, lowest <= 1e-3 * first || first == 0 else {
      return """
        the method makes no progress on this problem. The objective may be unbounded below or not \
        smooth, or a linear system too badly conditioned: try another method (a larger restart for \
        GMRES, or dense LU), a preconditioner, or another start
        """
    }
    return """
      the residual no longer falls: rounding, or a badly conditioned problem. Use double precision, \
      a looser tolerance, or, where the start is already the solution, an absolute tolerance
      """
  }

  private var iterationAdvice: String {
    if let certificateAdvice { return "allow more iterations; " + certificateAdvice }
    if threshold == 0 {
      return """
        a tolerance of 0 is not reached by a fixed number of iterations. Give a tolerance, or set the \
        layer's onFailure to .report to take what the iterations leave
        """
    }
    let recent = history.suffix(6)
    guard let first = recent.first, let last = recent.last, recent.count > 1, first > 0 else {
      return "allow more iterations"
    }
    if last >= 0.99 * first {
      return """
        the residual hardly falls any more. Try another method, a preconditioner, or check that \
        the problem has a solution
        """
    }
    return "the residual was still falling: allow more iterations, or warm-start"
  }

  private func named(_ blocks: [BlockShare]) -> String {
    blocks.map { block in
      let name = block.name.isEmpty ? "the inner variable" : block.name
      return "\(name) (\(Int((100 * block.share).rounded())) %)"
    }.joined(separator: ", ")
  }
}

extension SolverStatus.Outcome {
  /// The outcome in words.
  var words: String {
    switch self {
    case .converged: "converged"
    case .iterationLimit: "not converged: iteration limit"
    case .stalled: "not converged: no further progress"
    case .notFinite: "not converged: a value is not finite"
    case .inaccurate: "not accurate enough"
    case .degenerate: "degenerate"
    case .indefinite: "not positive definite"
    case .singular: "singular"
    case .notSymmetric: "refused: not symmetric"
    case .notContractive: "refused: not contractive"
    }
  }
}

extension SolverStatus.BlockShare {
  /// The parts with most of a direction, largest first, at most three of at least 5 %.
  static func largest(of direction: [Double], in blocks: [VectorBlock]) -> [Self] {
    let total = direction.reduce(0) { $0 + $1 * $1 }
    guard total > 0 else { return [] }
    let shares = blocks.map { block in
      Self(
        name: block.name,
        share: direction[block.range].reduce(0) { $0 + $1 * $1 } / total)
    }
    return Array(shares.sorted { $0.share > $1.share }.filter { $0.share >= 0.05 }.prefix(3))
  }
}
