import Autodiff

/// The last, linear layer of a model in closed form: ridge regression on features.
///
/// With features Φ (n × m, a column of ones appended when there is an intercept), targets Y (n × k)
/// and penalty λ:
///
///     W = argmin (1/n) ‖Y − Φ W‖² + λ ‖W‖² = (Φᵀ Φ / n + λ I)⁻¹ Φᵀ Y / n
///
/// The intercept is penalised like every other weight. W is a differentiable function of Φ and Y:
/// the derivative goes through the solve, so an outer loss of W has the gradient of the bilevel
/// problem, exactly.
public struct LinearHead: Sendable, Equatable {
  /// λ, per observation.
  public var ridge: Double
  /// Whether a constant feature is appended.
  public var hasIntercept: Bool

  /// - Precondition: `ridge` is not negative; with 0 the features must be linearly independent.
  public init(ridge: Double, hasIntercept: Bool = true) {
    guard ridge >= 0, ridge.isFinite else {
      stop("LinearHead", "the ridge must be a non-negative number, found \(ridge)")
    }
    self.ridge = ridge
    self.hasIntercept = hasIntercept
  }

  /// The weights W that fit `targets`.
  ///
  /// - Parameters:
  ///   - features: [n, m], n ≥ 1.
  ///   - targets: [n, k].
  /// - Returns: [m, k], or [m + 1, k] with the intercept last.
  /// - Throws: `LinearAlgebraError.notPositiveDefinite` where the features are linearly dependent
  ///   and the ridge does not make up for it.
  public func fit(_ features: Tensor, to targets: Tensor) throws(LinearAlgebraError) -> Tensor {
    guard features.rank == 2, targets.rank == 2, features.shape[0] == targets.shape[0],
      features.shape[0] > 0
    else {
      stop(
        "LinearHead.fit",
        """
        expected features [n, m] and targets [n, k] of the same n ≥ 1, found \(features.shape) and \
        \(targets.shape)
        """)
    }
    let phi = augmented(features)
    let penalty = RidgePenalty(shift: ridge).matrix(phi.shape[1], phi.scalarType)
    let moment = (1 / Double(phi.shape[0])) * matmul(phi, targets, transposeA: true)
    return try solvePositiveDefinite(PenalizedLeastSquares.gram(phi, nil) + penalty, moment)
  }

  /// Φ W for new features.
  ///
  /// - Parameters:
  ///   - features: [n, m].
  ///   - weights: What `fit` returned.
  /// - Returns: [n, k].
  public func predict(_ features: Tensor, weights: Tensor) -> Tensor {
    matmul(augmented(features), weights)
  }

  /// The penalised mean squared error that `fit` minimises.
  public func loss(_ features: Tensor, targets: Tensor, weights: Tensor) -> Tensor {
    let residual = targets - predict(features, weights: weights)
    return square(residual).sum() * (1 / Double(features.shape[0])) + ridge * square(weights).sum()
  }

  private func augmented(_ features: Tensor) -> Tensor {
    hasIntercept ? features.withIntercept : features
  }
}
