import Autodiff
import Solvers

extension Smoother {
  /// The mean of A(x, i)² over the points x of prediction over 1 − H_ii for every training row i, [n].
  ///
  /// - Parameter weights: Weights of the points in this mean, of any sum; nil for equal ones.
  func ownNoiseWeights(at weights: Tensor? = nil) throws(SolverError) -> Tensor {
    let count = Double(features.shape[0])
    do {
      // A = Φ(x) G⁻¹ (DΦ)ᵀ, so the mean is (DΦ)ᵢ M (DΦ)ᵢᵀ with M = G⁻¹ (mean Φ(x)ᵀ Φ(x)) G⁻¹.
      let shares = weights.map { $0 / maximum($0.sum(), .leastNormalMagnitude) }
      let averaged = shares.map { features * $0.expandingShape(at: 1) } ?? features / count
      let moments = matmul(features, averaged, transposeA: true)
      let left = try solveGram(moments)
      let spread = try solveGram(left.transposed())
      let squares = (matmul(weightedFeatures, spread) * weightedFeatures).sum(alongAxis: 1)
      let inverse = try solveGram(Tensor.identity(moments.shape[0]))
      let leverage = (matmul(trainingFeatures, inverse) * weightedFeatures).sum(alongAxis: 1)
      return squares / maximum(1 - leverage, 1e-3)
    } catch {
      throw .function(error)
    }
  }
}
