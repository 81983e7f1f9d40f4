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
    let shape: Shape = [basis.count, outputCount]
    let innerPrediction = try h(data.inner.inputs)
    let outerSlope = try outer.slope(ω, try h(data.outer.inputs), data.outer)
    let moment = matmul(outerFeatures, outerSlope, transposeA: true)
    func residual(_ weights: Tensor) throws(SolverError) -> Tensor {
      let weights = weights.reshaped(to: shape)
      let curved = try inner.curvatureProduct(
        ω, innerPrediction, data.inner, along: matmul(innerFeatures, weights))
      let product = matmul(innerFeatures, data.inner.weighted(curved), transposeA: true)
      let penalty = linearClass.penalty.gradient(weights) ?? .zeros(shape)
      return (product + moment + penalty).flattened()
    }
    let equations = try hidingLevels { () throws(SolverError) in
      let constants = data.inner.constant
      do {
        return try NormalEquations(
          features: stopGradient(innerFeatures), sample: constants,
          curvature: try inner.curvature(
            stopGradient(ω), stopGradient(innerPrediction), constants),
          outputCount: outputCount, penalty: linearClass.penalty)
      } catch let error as SolverError {
        throw error
      } catch {
        throw SolverError.function(FunctionalError.notStronglyConvex(curvature: nil))
      }
    }
    let found: Tensor
    do { found = try equations.solve(-stopGradient(moment)) } catch { throw .function(error) }
    let system = ImplicitSystem(
      name: "OBiGrad", residual: residual,
      adjoint: AdjointSettings(
        solver: NormalEquationsSolver(equations: equations, shape: shape), tolerance: 1e-11,
        scalarType: .float64,
        blocks: [VectorBlock(name: linearClass.name, range: 0..<found.elementCount)],
        onFailure: .throw),
      record: TrustRecord(
        inner: SolverStatus(
          method: "OBiGrad, adjoint nuisance", outcome: .converged, history: [], threshold: 0,
          scale: 0, evaluations: 1)),
      cache: ImplicitSystem.Cache())
    let weights = try system.differentiable(found.flattened()).reshaped(to: shape)
    return { x in matmul(basis(x), weights) }
  }
}
