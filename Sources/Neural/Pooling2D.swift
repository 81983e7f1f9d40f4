import Autodiff

/// One number for each window over an image, channel by channel; a layer without tensors.
///
/// Padding does not count. A mean at the edge is over the elements that the window covers
/// (`count_include_pad=False` in PyTorch, whose default counts zeros). Where several elements of a
/// window are the largest, they share the derivative equally, at every order.
public struct Pooling2D: Layer {
  /// What stands for a window.
  public enum Statistic: Sendable {
    /// The mean of its elements.
    case average
    /// The largest of its elements.
    case maximum
  }

  /// What stands for a window.
  public let statistic: Statistic
  /// The size of the windows.
  public let kernel: Size2D
  /// How far neighbouring windows lie apart.
  public let stride: Size2D
  /// How far windows reach beyond the image.
  public let padding: Padding2D

  /// Creates a layer, by default of windows that touch without overlapping.
  public init(
    _ statistic: Statistic, kernel: Size2D, stride: Size2D? = nil, padding: Padding2D = .valid
  ) {
    self.statistic = statistic
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
      kernel: kernel, stride: stride, padding: padding, dilation: 1, operation: "Pooling2D")
    let patches = window.patches(of: x)
    guard padding != .valid else {
      return statistic == .maximum
        ? patches.max(alongAxes: [3, 4])
        : patches.sum(alongAxes: [3, 4]) / Double(kernel.height * kernel.width)
    }
    // The same windows over an image of ones: 0 marks padding.
    let coverage = window.patches(
      of: Tensor.ones([1, x.shape[1], x.shape[2], 1], x.scalarType))
    let counts = coverage.sum(alongAxes: [3, 4])
    if (counts .== 0).anyTrue {
      stop(
        "Pooling2D",
        """
        with a kernel of \(kernel) and padding \(padding), some windows over images \(x.shape) \
        contain padding only; pad by less than the kernel
        """)
    }
    guard statistic == .maximum else { return patches.sum(alongAxes: [3, 4]) / counts }
    return select(coverage .== 0, Tensor(-.infinity, like: patches), patches)
      .max(alongAxes: [3, 4])
  }
}
