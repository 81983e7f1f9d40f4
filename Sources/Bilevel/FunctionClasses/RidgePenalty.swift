import Autodiff

/// The penalty λ ‖W‖² on the weights of a linear class, W of shape [m, d].
///
/// The row of an intercept can be spared: then adding a constant to the targets adds it to the
/// function.
package struct RidgePenalty: Sendable {
  /// λ.
  let ridge: Double
  /// Whether the last feature is an intercept that is not penalised.
  package var sparesIntercept = false

  /// λ ‖W‖², a scalar; nil where nothing is penalised.
  func value(_ weights: Tensor) -> Tensor? {
    ridge == 0 ? nil : ridge * square(penalized(weights)).sum()
  }

  /// 2 λ W, [m, d]; nil where nothing is penalised.
  package func gradient(_ weights: Tensor) -> Tensor? {
    guard ridge != 0 else { return nil }
    guard sparesIntercept else { return (2 * ridge) * weights }
    let intercept = Tensor.zeros([1, weights.shape[1]], weights.scalarType)
    return Tensor.concatenated([(2 * ridge) * penalized(weights), intercept], alongAxis: 0)
  }

  /// The matrix 2 λ I of the gradient in float64, for `count` features with every weight repeated
  /// `width` times.
  package func matrix(_ count: Int, width: Int = 1) -> Tensor {
    let identity = Tensor.identity(count * width, .float64)
    guard sparesIntercept else { return 2 * ridge * identity }
    let isPenalized = (0..<count * width).map { $0 < (count - 1) * width ? 2 * ridge : 0 }
    return identity * Tensor(isPenalized)
  }

  private func penalized(_ weights: Tensor) -> Tensor {
    sparesIntercept ? weights.slice(0..<weights.shape[0] - 1, alongAxis: 0) : weights
  }
}
