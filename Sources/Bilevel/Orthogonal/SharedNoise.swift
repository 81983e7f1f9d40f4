import Autodiff

/// What is done about the noise of training rows that both factors of a product of nuisance errors have
/// in common.
///
/// An orthogonal score of quadratic losses misses the gradient by −E[δj δu], where δj and δu are errors of
/// two regressions. Fitted on the same rows they share their noise, so the mean of the product is
/// not zero but of order df / n, more so the less they smooth.
public enum SharedNoise: String, Sendable, Codable, CaseIterable {
  /// Nothing.
  case kept
  /// Its expectation is estimated and added, as far as it comes from a row's own noise: with A(x, i) the
  /// weight of training target i in the prediction at x and H the hat matrix of the training rows,
  ///
  ///     Δ = mean over held-out x of Σᵢ A(x, i)² eʲᵢ eᵘᵢ / (1 − H_ii).
  ///
  /// It takes a linear smoother, which regressions here are.
  case corrected
  /// δj and δu come from fits on disjoint halves of the training rows, in both roles, averaged: for any
  /// learner, at the price of fitting on half the rows.
  case split
}

extension Smoother {
  /// Σₓ A(x, i)² / (k (1 − H_ii)) of every training row i over the k points of prediction, [n].
  func ownNoiseWeights() throws(BilevelError) -> Tensor {
    let count = Double(features.shape[0])
    do {
      // A = Φ(x) G⁻¹ (DΦ)ᵀ, so Σₓ A(x, i)² = (DΦ)ᵢ M (DΦ)ᵢᵀ with M = G⁻¹ Φ(x)ᵀ Φ(x) G⁻¹.
      let moments = matmul(features, features, transposeA: true)
      let left = try solveGram(moments)
      let spread = try solveGram(left.transposed())
      let squares = (matmul(weightedFeatures, spread) * weightedFeatures).sum(alongAxis: 1)
      let inverse = try solveGram(Tensor.identity(moments.shape[0]))
      let leverage = (matmul(trainingFeatures, inverse) * weightedFeatures).sum(alongAxis: 1)
      return squares / (count * maximum(1 - leverage, 1e-3))
    } catch {
      throw .function(error)
    }
  }
}
