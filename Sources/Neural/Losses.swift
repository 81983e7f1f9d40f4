import Autodiff

/// What a prediction costs, one value per row: functions of a prediction v and a target y that
/// return a tensor [n] for inputs [n, …], summed over the outputs of a row.
///
///     let risk = Losses.huber(model(x), y, delta: 1).mean()
///
/// Rows are kept apart because means are taken by whoever weighs them, and because an inner problem
/// over functions asks for a pointwise loss ℓ(v, y). All losses are convex in the prediction.
/// Prediction and target have equal shapes; they are not broadcast.
public enum Losses {
  /// (v − y)², summed over the outputs.
  ///
  /// Its mean is that of `meanSquaredError` times the number of outputs.
  ///
  /// - Returns: [n].
  public static func squared(_ prediction: Tensor, _ target: Tensor) -> Tensor {
    requireSameShape("squared", prediction, target)
    return rowSums("squared", square(prediction - target))
  }

  /// The sum over all axes but the first.
  static func rowSums(_ operation: String, _ terms: Tensor) -> Tensor {
    guard terms.rank >= 1 else {
      stop(operation, "expected a prediction [n, …] with rows, found a scalar")
    }
    return terms.rank == 1 ? terms : terms.sum(alongAxes: Array(1..<terms.rank))
  }

  static func requireSameShape(_ operation: String, _ prediction: Tensor, _ target: Tensor) {
    guard prediction.shape == target.shape else {
      stop(
        operation,
        """
        the prediction is \(prediction.shape) and the target \(target.shape); \
        reshape one of them, they are not broadcast
        """)
    }
  }
}

/// The mean over all elements of (prediction − target)².
///
/// - Precondition: Equal shapes. Broadcasting a [n] against a [n, 1] would compare every row with
///   every other, so it is refused.
public func meanSquaredError(_ prediction: Tensor, _ target: Tensor) -> Tensor {
  Losses.requireSameShape("meanSquaredError", prediction, target)
  return square(prediction - target).mean()
}
