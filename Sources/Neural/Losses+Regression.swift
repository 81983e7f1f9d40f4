import Autodiff

extension Losses {
  /// A square near the target and a straight line away from it, summed over the outputs: r²/2 where
  /// |r| ≤ δ, δ (|r| − δ/2) elsewhere, for r = v − y.
  ///
  /// Once continuously differentiable. The second derivative jumps from 1 to 0 at |r| = δ and is
  /// taken as 3/4 there. Huber, Robust estimation of a location parameter (1964).
  ///
  /// - Parameter delta: δ > 0.
  /// - Returns: [n].
  public static func huber(_ prediction: Tensor, _ target: Tensor, delta: Double) -> Tensor {
    requireSameShape("huber", prediction, target)
    requirePositive("huber", "delta", delta)
    let residual = prediction - target
    // c (r − c/2) with r clipped to c: no kink at 0, where |r| would have one.
    let clipped = maximum(minimum(residual, delta), -delta)
    return rowSums("huber", clipped * (residual - 0.5 * clipped))
  }

  /// The loss whose mean a quantile minimises, summed over the outputs: τ (y − v) where v ≤ y,
  /// (1 − τ)(v − y) elsewhere ("pinball loss").
  ///
  /// The derivative jumps from −τ to 1 − τ at v = y and is taken as 0 there, a subgradient; the
  /// second derivative is 0 wherever it exists, so an inner problem needs
  /// `smoothedQuantile(_:_:level:bandwidth:)`. Koenker and Bassett, Regression quantiles (1978).
  ///
  /// - Parameter level: τ in (0, 1).
  /// - Returns: [n].
  public static func quantile(_ prediction: Tensor, _ target: Tensor, level: Double) -> Tensor {
    requireSameShape("quantile", prediction, target)
    requireLevel("quantile", level)
    let residual = target - prediction
    return rowSums("quantile", level * relu(residual) + (1 - level) * relu(-residual))
  }

  /// The quantile loss smoothed over a bandwidth h, summed over the outputs:
  /// h (τ softplus(u) + (1 − τ) softplus(−u)) with u = (y − v) / h.
  ///
  /// This is the quantile loss convolved with the logistic density of scale h, and equals
  /// τ (y − v) + h ln(1 + e⁻ᵘ); it exceeds the quantile loss by at most h ln 2, at v = y. Its second
  /// derivative σ(u) σ(−u) / h is positive everywhere: the loss is smooth and strictly convex in v,
  /// so that implicit differentiation of a minimum over functions applies (Petrulionytė, Mairal and
  /// Arbel, Functional bilevel optimization for machine learning, 2024). The curvature decays like
  /// e^−|u|; predictions many bandwidths off need a regulariser. Zheng, Gradient descent algorithms
  /// for quantile regression with smooth approximation (2011); Fernandes, Guerre and Horta,
  /// Smoothing quantile regressions (2021).
  ///
  /// - Parameters:
  ///   - level: τ in (0, 1).
  ///   - bandwidth: h > 0, in units of the target.
  /// - Returns: [n].
  public static func smoothedQuantile(
    _ prediction: Tensor, _ target: Tensor, level: Double, bandwidth: Double
  ) -> Tensor {
    requireSameShape("smoothedQuantile", prediction, target)
    requireLevel("smoothedQuantile", level)
    requirePositive("smoothedQuantile", "bandwidth", bandwidth)
    let u = (target - prediction) / bandwidth
    let terms = (bandwidth * level) * softplus(u) + (bandwidth * (1 - level)) * softplus(-u)
    return rowSums("smoothedQuantile", terms)
  }

  private static func requirePositive(_ operation: String, _ name: String, _ value: Double) {
    guard value > 0, value.isFinite else {
      stop(operation, "expected a positive \(name), found \(value)")
    }
  }

  private static func requireLevel(_ operation: String, _ level: Double) {
    guard level > 0, level < 1 else {
      stop(operation, "expected a level in (0, 1), found \(level)")
    }
  }
}
