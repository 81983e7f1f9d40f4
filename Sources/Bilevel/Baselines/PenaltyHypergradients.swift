import Autodiff
import Solvers

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
  ) throws(SolverError) -> Hypergradient<Inner, Outer> {
    guard formulation.kind.hasObjective, baseline.strength > 0 else {
      stop(
        "AID.penaltyHypergradient",
        "needs an inner objective and a positive strength, found a \(formulation.kind.rawValue) and "
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
    let result = try hidingLevels { () throws(SolverError) in
      let outer = stopGradient(outer)
      let found = try found(at: outer, from: nil)
      let (x, status) = (found.value, found.status)
      let penalised = penalised(baseline, loss)
      let penalisedSolution = try penalised.found(at: outer, from: layout.tree(x))
      let moved = penalisedSolution.value
      let record = TrustRecord(inner: penalisedSolution.status)
      record.setApproximation("\(baseline) penalty, biased by O(1 / strength)")
      if !status.isConverged { record.note("the inner problem itself: \(status)") }
      let slope = try gradient(at: outer, unused: .zero) { y throws(SolverError) in
        let there = baseline.strength * (try penalised.objective(moved, y))
        guard case .valueFunction = baseline else { return there }
        return there - baseline.strength * (try objective(x, y))
      }
      if let errorEstimate {
        estimateError(
          of: slope, at: x, outer: outer, status: status, by: errorEstimate, into: record,
          loss: loss)
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

  /// f at a vector.
  private func objective(_ x: Tensor, _ outer: Outer) throws(SolverError) -> Tensor {
    guard let objective = problem(at: outer).objective else {
      stop("AID.penaltyHypergradient", "needs an inner objective")
    }
    return try objective(x)
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
      switch baseline {
      case .valueFunction: return try layer.objective(flat, y) + outerTerm
      case .gradient:
        return 0.5 * square(try layer.problem(at: y).residual(flat)).sum() + outerTerm
      }
    }
    var penalised = self
    penalised.formulation = .minimum(objective)
    return penalised
  }
}
