import Autodiff
import Solvers

/// One estimator of one layer: the formulas, as functions of x and y that can be differentiated.
struct Estimation<Inner: TensorTree, Outer: TensorTree> {
  let layer: AID<Inner, Outer>
  let estimator: HypergradientEstimator<Outer>
  /// Of the inner solve; the adjoint tolerance is matched to it.
  let status: SolverStatus
  let warmStart: WarmStart<Inner>?

  private var initial: Tensor {
    layer.layout.vector(layer.initial, "AID.hypergradient", "initial point")
  }

  /// x after the estimator's step, with the residual there.
  func moved(
    _ x: Tensor, _ outer: Outer, _ status: SolverStatus
  ) throws(SolverError) -> (Tensor, SolverStatus) {
    guard let step = estimator.step else { return (x, status) }
    let problem = layer.problem(at: outer)
    let residual = try problem.residual(x)
    let inner = try layer.innerProblem(
      problem, at: outer, startingAt: initial, scale: status.scale)
    let moved = stopGradient(x - (try step.inverse(for: inner, at: x)(residual)))
    let residualNorm = moved.isFinite ? norm(try problem.residual(moved)) : .nan
    guard residualNorm.isFinite else {
      throw .unsolved(
        SolverStatus(
          method: "the estimator's step", outcome: .notFinite, history: status.history,
          threshold: status.threshold, scale: status.scale, evaluations: status.evaluations + 1),
        of: .inner)
    }
    return (moved, status.continued(to: residualNorm))
  }

  /// The estimator's step as a differentiable function of x, with P fixed at the given point.
  func linearStep(
    _ x: Tensor, _ outer: Outer
  ) throws(SolverError) -> ((Tensor) throws(SolverError) -> Tensor)? {
    guard let step = estimator.step else { return nil }
    let problem = layer.problem(at: outer)
    // Applied on this thread only.
    nonisolated(unsafe) let inverse = try step.inverse(
      for: try layer.innerProblem(
        problem, at: outer, startingAt: initial, scale: status.scale), at: x)
    let map = CustomDerivative<Tensor, Tensor, SolverError>(
      name: "step", evaluate: { b throws(SolverError) in try inverse(b) },
      jvp: { _, _, v throws(SolverError) in try inverse(v) })
    return { x throws(SolverError) in x - (try map(try problem.residual(x))) }
  }

  /// g and the estimate of dg/dy at x, which has been moved already.
  func estimate(
    _ x: Tensor, _ outer: Outer, _ record: TrustRecord, _ loss: OuterLoss<Inner, Outer>
  ) throws(SolverError) -> (value: Tensor, gradient: Outer) {
    switch estimator {
    case .plain, .preconditioned: return try plain(x, outer, record, loss)
    case .reparameterized(let map), .composed(_, let map):
      return try reparameterized(x, outer, record, loss, map)
    case .linearized: return try linearized(x, outer, record, loss)
    }
  }

  /// Ω = g₂ − F₂ᵀ p.
  private func plain(
    _ x: Tensor, _ outer: Outer, _ record: TrustRecord, _ loss: OuterLoss<Inner, Outer>
  ) throws(SolverError) -> (value: Tensor, gradient: Outer) {
    // x is given, also where an enclosing transform differentiates it: only y moves the solution.
    let floor = latestLevel
    return try valueWithGradient(at: outer, unused: .zero) { y throws(SolverError) in
      let problem = layer.problem(at: y)
      let solution = try system(problem, record, warmStart).differentiable(x, above: floor)
      return try calling { try loss(layer.layout.tree(solution), y) }
    }
  }

  /// The plain estimator of the problem in z, F̃ = φ₁ᵀ F(φ(z, y), y), pulled back through φ.
  private func reparameterized(
    _ x: Tensor, _ outer: Outer, _ record: TrustRecord, _ loss: OuterLoss<Inner, Outer>,
    _ map: any Reparameterization<Outer>
  ) throws(SolverError) -> (value: Tensor, gradient: Outer) {
    let floor = latestLevel
    return try valueWithGradient(at: outer, unused: .zero) { y throws(SolverError) in
      let problem = layer.problem(at: y)
      // The map has to be the same one wherever it is used: with loose solves the Hessian in z would
      // not even be symmetric.
      let local = FrozenModel(
        point: x, outer: y, system: system(problem.residual, record, isExact: true))
      // z₀ with φ(z₀, y) = x, at y as it is given: its own dependence on y cancels.
      let z0 = try hidingLevels(above: floor) { () throws(SolverError) in
        try map.coordinates(local)
      }.peeled(from: floor + 1)
      let transformed = { (z: Tensor) throws(SolverError) -> Tensor in
        let (x, pullback) = try vjp(at: z) { z throws(SolverError) in try map.point(z, local) }
        return try pullback(try problem.residual(x))
      }
      let z = try system(transformed, record).differentiable(z0, above: floor)
      let solution = try map.point(z, local)
      return try calling { try loss(layer.layout.tree(solution), y) }
    }
  }

  /// Ω(x) − Ω₁(x) d̂ with F₁ d̂ = F, by one forward derivative of Ω.
  private func linearized(
    _ x: Tensor, _ outer: Outer, _ record: TrustRecord, _ loss: OuterLoss<Inner, Outer>
  ) throws(SolverError) -> (value: Tensor, gradient: Outer) {
    let problem = layer.problem(at: outer)
    let newton = try system(problem, record).solve(x, try problem.residual(x), false)
    var value: Tensor?
    let (estimate, correction) = try jvp(at: x, along: -newton) { x throws(SolverError) in
      let result = try plain(x, outer, record, loss)
      value = stopGradient(result.value)
      return result.gradient
    }
    guard let value else { stop("AID.hypergradient", "the outer loss was not evaluated") }
    return (value, estimate + correction)
  }

  private func system(
    _ problem: InnerProblem.Formulation, _ record: TrustRecord,
    _ warmStart: WarmStart<Inner>? = nil
  ) -> ImplicitSystem {
    system({ x throws(SolverError) in try problem.residual(x) }, record, warmStart)
  }

  private func system(
    _ residual: @escaping ImplicitSystem.VectorFunction, _ record: TrustRecord,
    _ warmStart: WarmStart<Inner>? = nil, isExact: Bool = false
  ) -> ImplicitSystem {
    layer.system(
      residual, status, record, warmStart,
      order: isExact ? nil : estimator.order)
  }
}
