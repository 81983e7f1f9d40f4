import Autodiff
import Bilevel
import Solvers

/// The adjoint function a_ω in a linear class, a differentiable operator of ω.
///
/// Its weights solve
///
///     Φ_innerᵀ [∂²ᵥℓ_in (Φ_inner A)] + Φ_outerᵀ ∂ᵥℓ_out + 2 λ A = 0   with means over both samples.
struct AdjointNuisance<Outer: TensorTree, InnerLabels: TensorTree, OuterLabels: TensorTree> {
  let inner: PointwiseLoss<Outer, InnerLabels>
  let outer: PointwiseLoss<Outer, OuterLabels>
  let data: (inner: FunctionalSample<InnerLabels>, outer: FunctionalSample<OuterLabels>)
  let linearClass: LinearClass

  /// x ↦ a_ω(x).
  func solution(
    at ω: Outer, _ h: FunctionalSolution, outputCount: Int
  ) throws(SolverError) -> (Tensor) -> Tensor {
    let basis = try FeatureBasis(linearClass, on: data.inner)
    let (innerFeatures, outerFeatures) = (basis(data.inner.inputs), basis(data.outer.inputs))
    let innerPrediction = try h(data.inner.inputs)
    let outerSlope = try outer.slope(ω, try h(data.outer.inputs), data.outer)
    let moment = matmul(outerFeatures, outerSlope, transposeA: true)
    let equations = try hidingLevels { () throws(SolverError) in
      let constants = data.inner.constant
      let curvature = try inner.curvature(
        stopGradient(ω), stopGradient(innerPrediction), constants)
      do {
        return try PenalizedLeastSquares(
          features: stopGradient(innerFeatures), weights: constants.weights, curvature: curvature,
          outputCount: outputCount, penalty: linearClass.penalty)
      } catch {
        throw SolverError.function(FunctionalError.notStronglyConvex(curvature: nil))
      }
    }
    let record = TrustRecord(
      inner: SolverStatus(
        method: "OBiGrad, adjoint nuisance", outcome: .converged, history: [], threshold: 0,
        scale: 0, evaluations: 1))
    let weights = try equations.differentiable(
      try calling { try equations.solve(-stopGradient(moment)) }, name: "OBiGrad",
      className: linearClass.name, record: record
    ) { weights throws(SolverError) in
      let curved = try inner.curvatureProduct(
        ω, innerPrediction, data.inner, along: matmul(innerFeatures, weights))
      let product = matmul(innerFeatures, data.inner.weighted(curved), transposeA: true)
      return product + moment + (linearClass.penalty.gradient(weights) ?? .zeros(like: weights))
    }
    return { x in matmul(basis(x), weights) }
  }
}
