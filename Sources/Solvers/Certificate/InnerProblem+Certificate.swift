import Autodiff

extension InnerProblem {
  /// Whether x solves the problem, by the rule of `SolutionCertificate`.
  ///
  /// For solvers of your own: search until it is accepted, and hand it to the status.
  ///
  /// - Parameters:
  ///   - x: The point, [n].
  ///   - stopping: Accuracy and typical magnitude; its residual targets do not count.
  ///   - isFinal: Whether the search can get no further: then the judgement takes what it costs, and an
  ///     objective that cannot fall by more than its rounding is enough.
  public func certificate(
    at x: Tensor, stopping: StoppingRule = StoppingRule(), isFinal: Bool = true
  ) throws(SolverError) -> SolutionCertificate {
    try Certification.judge(
      self, at: x, residual: try residual(x), rule: stopping, isFinal: isFinal
    ).certificate
  }
}
