import Autodiff

/// The mean over all axes but the first and the last: [n, …, channels] to [n, channels].
///
/// Lin, Chen and Yan, Network in network (2014). A layer without tensors.
public struct GlobalAveragePooling: Layer {
  /// A layer without settings.
  public init() {}

  /// The mean of every channel of every image.
  ///
  /// - Parameter x: [n, …, channels], with at least one axis between.
  /// - Returns: [n, channels].
  public func callAsFunction(_ x: Tensor) -> Tensor {
    guard x.rank >= 3 else {
      stop("GlobalAveragePooling", "expected inputs [n, …, channels], found shape \(x.shape)")
    }
    return x.mean(alongAxes: Array(1..<x.rank - 1))
  }
}
