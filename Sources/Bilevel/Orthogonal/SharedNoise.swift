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
  /// It takes a linear smoother, which regressions here are. Noise that rows of a group have in common
  /// is no row's own: use `split` for groups.
  case corrected
  /// δj and δu come from fits on disjoint halves of the training rows, in both roles, averaged: for any
  /// learner, at the price of fitting on half the rows. `AffineProblem` alone does it.
  case split
}

extension Smoother {
  /// The mean of A(x, i)² over the points x of prediction over 1 − H_ii for every training row i, [n].
  ///
  /// - Parameter weights: Weights of the points in this mean, of any sum; nil for equal ones.
  func ownNoiseWeights(at weights: Tensor? = nil) throws(BilevelError) -> Tensor {
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
