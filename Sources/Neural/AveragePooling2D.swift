import Autodiff

/// The mean of each window, channel by channel.
///
/// Padding does not count: a window at the edge is averaged over the elements it covers
/// (`count_include_pad=False` in PyTorch, whose default counts zeros). A layer without tensors.
public struct AveragePooling2D: Layer {
  /// The size of the windows.
  public let kernel: Size2D
  /// How far neighbouring windows lie apart.
  public let stride: Size2D
  /// How far windows reach beyond the image.
  public let padding: Padding2D

  /// Creates a layer, by default of windows that touch without overlapping.
  public init(kernel: Size2D, stride: Size2D? = nil, padding: Padding2D = .valid) {
    self.kernel = kernel
    self.stride = stride ?? kernel
    self.padding = padding
  }

  /// The pooled images.
  ///
  /// - Parameter x: [n, height, width, channels].
  /// - Returns: [n, output height, output width, channels].
  /// - Precondition: Every window covers at least one element of the image.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    let window = Window2D(
      kernel: kernel, stride: stride, padding: padding, dilation: 1,
      operation: "AveragePooling2D")
    let sum = window.patches(of: x).sum(alongAxes: [3, 4])
    if padding == .valid { return sum / Double(kernel.height * kernel.width) }
    return sum / window.poolingCoverage(of: x).sum(alongAxes: [3, 4])
  }
}
