import Bilevel
import Autodiff
import Orthogonal
import Solvers

/// The kernel baseline along its penalty.
///
/// Regularised regressions on an inner sample are evaluated on an outer one, for many λ by one
/// eigendecomposition:
///
///     K_oi (K_ii + n λ I)⁻¹ T = K_oi U (Λ + n λ)⁻¹ Uᵀ T,   K_ii = U Λ Uᵀ
///
/// El Khoury, Pauwels, Vaiter and Arbel, Learning theory for kernel bilevel optimization (2025).
struct KernelPath {
  private let values: Tensor
  private let basis: Tensor
  private let moments: Tensor
  private let outer: AffineProblem
  private let count: Int

  init(
    lengthScale: Double, inner: AffineProblem, outer: AffineProblem
  ) throws(LinearAlgebraError) {
    let kernel = Kernel.gaussian(lengthScale: lengthScale)
    let (values, vectors) = try symmetricEigen(kernel(inner.inputs, inner.inputs))
    // Rounding can make eigenvalues of zero negative.
    self.values = maximum(values, 0)
    basis = matmul(kernel(outer.inputs, inner.inputs), vectors)
    let targets = Tensor.concatenated(
      [inner.innerIntercept.expandingShape(at: 1), inner.innerSlope], alongAxis: 1)
    moments = matmul(vectors, targets, transposeA: true)
    self.outer = outer
    count = inner.count
  }

  /// The regularised plug-in on the outer sample.
  func fit(ridge: Double) throws(SolverError) -> AffineFit {
    let shrunk = moments / (values + Double(count) * ridge).expandingShape(at: 1)
    let predictions = matmul(basis, shrunk)
    return try outer.fit(
      .plugIn,
      given: AffineNuisances(
        intercept: predictions[0..., 0],
        slope: predictions.slice(1..<predictions.shape[1], alongAxis: 1),
        // The plug-in takes the outcome as it is.
        outcome: outer.outcome))
  }
}
