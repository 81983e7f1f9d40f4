import Autodiff
import Solvers

extension AID {
  /// The curvatures κ of the best separable reparameterisation at x: those that minimise the
  /// Frobenius norm of its estimator Jacobian.
  ///
  ///     Ω^κ₁ = Ω₁ − Jᵀ diag(κ p) F₁,   κ = argmin ‖Ω^κ₁‖_F,
  ///
  /// a least-squares problem in n unknowns with normal matrix (J Jᵀ) ∘ (F₁ F₁ᵀ) ∘ (p pᵀ). It takes
  /// third derivatives and dense n × n matrices: a yardstick for small problems.
  public func optimalCurvatures(
    at outer: Outer, evaluatedAt inner: Inner, of loss: OuterLoss<Inner, Outer>
  ) throws(SolverError) -> Tensor {
    let omega = try estimatorJacobian(at: outer, evaluatedAt: inner, estimator: .plain, of: loss)
    let result = try hidingLevels { () throws(SolverError) in
      let outer = stopGradient(outer)
      let target = FlatLayout(of: outer, "AID.optimalCurvatures")
      let x = stopGradient(layout.vector(inner, "AID.optimalCurvatures", "inner point"))
      let f1 = try jacobian(at: x) { x throws(SolverError) in try problem(at: outer).residual(x) }
      let f2 = try jacobian(at: target.vector(outer, "AID", "outer point")) {
        y throws(SolverError) in try problem(at: target.tree(y)).residual(x)
      }
      let g1 = try gradient(at: x, unused: .zero) { x throws(SolverError) in
        try calling { try loss(layout.tree(x), outer) }
      }
      return try calling {
        let j = -(try solve(f1, f2))
        let p = try solve(f1.transposed(), g1.reshaped(to: [-1, 1])).reshaped(to: [-1])
        let rows = matmul(j, j, transposeB: true) * matmul(f1, f1, transposeB: true)
        let normal = rows * outerProduct(p, p)
        // Where p is 0 the curvatures have no effect.
        guard normal.diagonal().max().scalar > 0 else { return Tensor.zeros(like: x) }
        let right = p * (matmul(j, omega) * f1).sum(alongAxis: 1)
        // The columns can be nearly dependent; what they cannot tell apart does not matter.
        let ridge = 1e-13 * normal.diagonal().max()
        let eye = Tensor.identity(x.elementCount, x.scalarType)
        return try solvePositiveDefinite(normal + ridge * eye, right.reshaped(to: [-1, 1]))
          .reshaped(to: [-1])
      }
    }
    return withoutDerivative(result, outer, inner)
  }
}

private func outerProduct(_ u: Tensor, _ v: Tensor) -> Tensor { Autodiff.outer(u, v) }
