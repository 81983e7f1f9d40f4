import Autodiff
import Solvers

extension PenalizedLeastSquares {
  /// Weights W with F(W) = 0 as an implicit solution, of which these equations are the derivative.
  ///
  /// - Parameters:
  ///   - weights: W, [m, d], found at constants.
  ///   - name: The layer, for messages.
  ///   - className: The class of functions, for messages.
  ///   - residual: F, [m, d] to [m, d].
  package func differentiable(
    _ weights: Tensor, name: String, className: String, record: TrustRecord,
    onFailure: FailurePolicy = .throw, residual: @escaping ImplicitSystem.VectorFunction
  ) throws(SolverError) -> Tensor {
    let (shape, type) = (weights.shape, weights.scalarType)
    let system = ImplicitSystem(
      name: name,
      residual: { w throws(SolverError) in try residual(w.reshaped(to: shape)).flattened() },
      adjoint: AdjointSettings(
        solver: NormalEquationsSolver(equations: self, shape: shape),
        tolerance: type == .float32 ? 1e-5 : 1e-11, scalarType: type,
        blocks: [VectorBlock(name: className, range: 0..<weights.elementCount)],
        onFailure: onFailure),
      record: record, cache: ImplicitSystem.Cache())
    return try system.differentiable(weights.flattened()).reshaped(to: shape)
  }
}
