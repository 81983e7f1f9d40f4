import Autodiff

/// The mean over all elements of (prediction − target)².
///
/// - Precondition: Equal shapes. Broadcasting a [n] against a [n, 1] would compare every row with
///   every other, so it is refused.
public func meanSquaredError(_ prediction: Tensor, _ target: Tensor) -> Tensor {
  guard prediction.shape == target.shape else {
    stop(
      "meanSquaredError",
      """
      the prediction is \(prediction.shape) and the target \(target.shape); \
      reshape one of them, they are not broadcast
      """)
  }
  return square(prediction - target).mean()
}
