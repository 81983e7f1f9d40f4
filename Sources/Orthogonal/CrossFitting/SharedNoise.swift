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
