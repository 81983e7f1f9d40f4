import Autodiff

/// The penalty λ ‖W‖² on the weights of a linear class, W of shape [m, d], beside a mean of losses.
///
/// The library's convention is ½ ‖v − y‖² for a squared loss, so that a Gram matrix ΦᵀDΦ gets 2 λ I.
/// Where a text writes (ΦᵀDΦ + μ I)⁻¹, or (K + n μ I)⁻¹ for a kernel matrix, or leaves out the ½, μ is
/// the `shift`, and this is the place where it becomes λ = μ / 2.
///
/// The row of an intercept can be spared: then adding a constant to the targets adds it to the
/// function.
package struct RidgePenalty: Sendable {
  /// λ.
  package let ridge: Double
  /// Whether the last feature is an intercept that is not penalised.
  package let sparesIntercept: Bool

  package init(ridge: Double, sparesIntercept: Bool = false) {
    (self.ridge, self.sparesIntercept) = (ridge, sparesIntercept)
  }

  /// The penalty that adds μ I to a Gram matrix.
  package init(shift: Double, sparesIntercept: Bool = false) {
    self.init(ridge: shift / 2, sparesIntercept: sparesIntercept)
  }

  /// μ = 2 λ.
  package var shift: Double { 2 * ridge }

  /// λ ‖W‖², a scalar; nil where nothing is penalised.
  func value(_ weights: Tensor) -> Tensor? {
    ridge == 0 ? nil : ridge * square(penalized(weights)).sum()
  }

  /// 2 λ W, [m, d]; nil where nothing is penalised.
  package func gradient(_ weights: Tensor) -> Tensor? {
    guard ridge != 0 else { return nil }
    guard sparesIntercept else { return shift * weights }
    let intercept = Tensor.zeros([1, weights.shape[1]], weights.scalarType)
    return Tensor.concatenated([shift * penalized(weights), intercept], alongAxis: 0)
  }

  /// The matrix μ I of the gradient, for `count` features with every weight repeated
  /// `width` times.
  package func matrix(
    _ count: Int, width: Int = 1, _ scalarType: ScalarType = .float64
  ) -> Tensor {
    let identity = shift * Tensor.identity(count * width, scalarType)
    guard sparesIntercept else { return identity }
    let isPenalized = (0..<count * width).map { $0 < (count - 1) * width ? 1.0 : 0 }
    return identity * Tensor(isPenalized).cast(to: scalarType)
  }

  private func penalized(_ weights: Tensor) -> Tensor {
    sparesIntercept ? weights.slice(0..<weights.shape[0] - 1, alongAxis: 0) : weights
  }
}
