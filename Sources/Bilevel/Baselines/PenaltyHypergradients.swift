import Autodiff

/// Hypergradients that need no linear system, biased by O(1 / strength): baselines.
public enum PenaltyBaseline: Sendable, Equatable {
  /// h_σ(y) = minₓ g(x, y) + σ (f(x, y) − minᵤ f(u, y)).
  ///
  ///     ∇h_σ = g₂(x_σ, y) + σ (f₂(x_σ, y) − f₂(x*, y)).
  ///
  /// Source: Kwon et al. (2023), "A fully first-order method for stochastic bilevel optimization".
  case valueFunction(strength: Double)
  /// h_σ(y) = minₓ g(x, y) + σ/2 ‖∇ₓf(x, y)‖².
  ///
  /// Source: Mehra & Hamm (2021), "Penalty method for inversion-free deep bilevel optimization".
  case gradient(strength: Double)

  /// σ.
  public var strength: Double {
    switch self {
    case .valueFunction(let strength), .gradient(let strength): strength
    }
  }
}

extension AID {
  /// The gradient of a penalised single-level problem: an approximate baseline.
  ///
  /// Its inner minimisations are run by the layer's solver, the second from the solution of the
  /// first.
  ///
  /// - Precondition: The layer minimises an objective.
  public func penaltyHypergradient(
    at outer: Outer, _ baseline: PenaltyBaseline, errorEstimate: ErrorEstimate? = nil,
    of loss: @escaping OuterLoss<Inner, Outer>
  ) throws(BilevelError) -> Hypergradient<Inner, Outer> {
    guard formulation.hasObjective, baseline.strength > 0 else {
      stop(
        "AID.penaltyHypergradient",
        "needs an inner objective and a positive strength, found a \(formulation.kind) and "
          + "\(baseline.strength)")
    }
    guard case .library = self.solver else {
      stop(
        "AID.penaltyHypergradient",
        """
        the layer is solved by a function, which solves the inner problem and not the penalised \
        one. Use a layer with a solver of the library
        """)
    }
    let result = try hidingLevels { () throws(BilevelError) in
      let outer = stopGradient(outer)
      let found = try found(at: outer, from: nil)
      let (x, status) = (found.value, found.status)
      let penalised = penalised(baseline, loss)
      let penalisedSolution = try penalised.found(at: outer, from: layout.tree(x))
      let moved = penalisedSolution.value
      let record = TrustRecord(inner: penalisedSolution.status)
      record.setApproximation("\(baseline) penalty, biased by O(1 / strength)")
      if !status.isConverged { record.note("the inner problem itself: \(status)") }
      let slope = try gradient(at: outer, unused: .zero) { y throws(BilevelError) in
        let there = baseline.strength * (try penalised.problem(at: y).objective(moved))
        guard case .valueFunction = baseline else { return there }
        return there - baseline.strength * (try problem(at: y).objective(x))
      }
      if let errorEstimate {
        estimateError(of: slope, x, outer, status, errorEstimate, record, loss)
      }
      let value = try calling { try loss(layout.tree(moved), outer) }
      return Hypergradient(
        value: value, gradient: slope, inner: layout.tree(moved), record: record)
    }
    return Hypergradient(
      value: withoutDerivative(result.value, outer),
      gradient: withoutDerivative(result.gradient, outer),
      inner: withoutDerivative(result.inner, outer), record: result.record)
  }

  /// The layer of f + g / σ, or of ½‖∇f‖² + g / σ.
  private func penalised(
    _ baseline: PenaltyBaseline, _ loss: @escaping OuterLoss<Inner, Outer>
  ) -> AID {
    // The penalised layer stays on this thread.
    nonisolated(unsafe) let (layer, loss) = (self, loss)
    let objective = { @Sendable (x: Inner, y: Outer) throws -> Tensor in
      let outerTerm = try loss(x, y) / baseline.strength
      let flat = layer.layout.vector(x, "AID.penaltyHypergradient", "inner point")
      let problem = layer.problem(at: y)
      switch baseline {
      case .valueFunction: return try problem.objective(flat) + outerTerm
      case .gradient: return 0.5 * square(try problem.residual(flat)).sum() + outerTerm
      }
    }
    var penalised = AID(.minimum(objective), initial, solver: solver, adjoint: adjoint)
    penalised.onFailure = onFailure
    return penalised
  }
}
