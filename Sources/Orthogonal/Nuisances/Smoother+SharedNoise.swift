import Autodiff
import Bilevel
import Solvers

extension Smoother {
  /// The mean of A(x, i)² over the points x of prediction over 1 − H_ii for every training row i, [n].
  ///
  /// - Parameter weights: Weights of the points in this mean, of any sum; nil for equal ones.
  func ownNoiseWeights(at weights: Tensor? = nil) throws(SolverError) -> Tensor {
    // A = Φ(x) G⁻¹ (DΦ)ᵀ, so the mean is (DΦ)ᵢ M (DΦ)ᵢᵀ with M = G⁻¹ (mean Φ(x)ᵀ Φ(x)) G⁻¹.
    let shares = weights.map { $0 / maximum($0.sum(), .leastNormalMagnitude) }
    let moments = PenalizedLeastSquares.gram(features, shares)
    return try calling {
      let spread = try equations.solve(try equations.solve(moments).transposed())
      let squares = (matmul(weightedFeatures, spread) * weightedFeatures).sum(alongAxis: 1)
      let leverages = try equations.leverages(trainingFeatures, weighted: weightedFeatures)
      return squares / maximum(1 - leverages, 1e-3)
    }
  }
}
