import Autodiff

/// Standardises the last axis, then scales and shifts it:
/// y = (x − mean) / √(variance + ε) · weight + bias.
///
/// Mean and variance (divided by n) are those of each row by itself, so training and evaluation do
/// not differ. Ba, Kiros and Hinton, Layer normalization (2016). Leaves: `weight`, `bias`.
public struct LayerNorm: Layer {
  /// The scale, of shape [features].
  public var weight: Tensor
  /// The shift, of shape [features].
  public var bias: Tensor
  /// ε, added to the variance.
  public var epsilon: Double

  /// Creates a layer that only standardises: weight 1, bias 0.
  public init(featureCount: Int, epsilon: Double = 1e-5, scalarType: ScalarType = .float64) {
    weight = Tensor.ones([featureCount], scalarType)
    bias = Tensor.zeros([featureCount], scalarType)
    self.epsilon = epsilon
  }

  /// The normalised rows.
  ///
  /// - Parameter x: […, features].
  /// - Returns: […, features].
  public func callAsFunction(_ x: Tensor) -> Tensor {
    requireFeatures("LayerNorm", x, weight.elementCount, of: weight)
    let deviation = x - x.mean(alongAxis: -1, keepingDimension: true)
    let variance = square(deviation).mean(alongAxis: -1, keepingDimension: true)
    return deviation * rsqrt(variance + epsilon) * weight + bias
  }
}
