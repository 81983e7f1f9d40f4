import Autodiff

/// The regression of the outcome on predicted treatment features, with a penalty on what the
/// instruments leave open.
///
///     u = argmin mean (y − [h(z), 1] u)² + λ ‖u‖² + κ mean ((ψ(t) − h(z)) u)²
///
/// The instruments determine E[f(t) | z] only. Among the functions with the same expectation the
/// last term prefers the one that varies least at given instruments; κ = 0 is two-stage ridge
/// regression.
package struct SecondStage: Sendable {
  /// y, [n, 1].
  package let outcomes: Tensor
  /// λ, per observation.
  package let ridge: Double
  /// κ.
  package let variancePenalty: Double

  package init(outcomes: Tensor, ridge: Double, variancePenalty: Double) {
    self.outcomes = outcomes
    self.ridge = ridge
    self.variancePenalty = variancePenalty
  }

  /// u, [d + 1, 1], the intercept last.
  ///
  /// - Parameters:
  ///   - predictions: h(z) of the second stage's rows; if κ > 0 and those are not the first stage's,
  ///     followed by h(z) of the first stage's.
  ///   - targets: ψ(t) of the first stage's rows, [n₁, d].
  package func head(_ predictions: Tensor, _ targets: Tensor) throws(LinearAlgebraError) -> Tensor {
    let phi = withConstant(secondRows(predictions))
    let scale = 1 / Double(outcomes.shape[0])
    var normal =
      scale * matmul(phi, phi, transposeA: true)
      + ridge * Tensor.identity(phi.shape[1], phi.scalarType)
    if variancePenalty > 0 {
      let r = residual(predictions, targets)
      let gram = matmul(r, r, transposeA: true) * (variancePenalty / Double(r.shape[0]))
      normal += gram.padded([(0, 1), (0, 1)])
    }
    return try solvePositiveDefinite(
      normal, scale * matmul(phi, outcomes, transposeA: true))
  }

  /// The loss that `head` minimises.
  package func loss(_ predictions: Tensor, _ targets: Tensor, _ u: Tensor) -> Tensor {
    let fitted = matmul(withConstant(secondRows(predictions)), u)
    let loss = square(outcomes - fitted).mean() + ridge * square(u).sum()
    guard variancePenalty > 0 else { return loss }
    let slopes = u.slice(0..<u.shape[0] - 1, alongAxis: 0)
    return loss + variancePenalty * square(matmul(residual(predictions, targets), slopes)).mean()
  }

  /// [ψ, 1] u.
  package func predict(_ features: Tensor, _ u: Tensor) -> Tensor {
    matmul(withConstant(features), u)
  }

  private func secondRows(_ predictions: Tensor) -> Tensor {
    predictions.slice(0..<outcomes.shape[0], alongAxis: 0)
  }

  /// ψ(t) − h(z) on the first stage's rows, which are the last ones of the predictions.
  private func residual(_ predictions: Tensor, _ targets: Tensor) -> Tensor {
    let count = predictions.shape[0]
    return targets - predictions.slice(count - targets.shape[0]..<count, alongAxis: 0)
  }

  private func withConstant(_ features: Tensor) -> Tensor {
    let ones = Tensor.ones([features.shape[0], 1], features.scalarType)
    return Tensor.concatenated([features, ones], alongAxis: 1)
  }
}
