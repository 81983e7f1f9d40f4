import Autodiff

/// The largest element of each window, channel by channel.
///
/// Where several elements of a window are the largest, they share the derivative equally, at every
/// order. Padding never is the largest. A layer without tensors.
public struct MaxPooling2D: Layer {
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
      kernel: kernel, stride: stride, padding: padding, dilation: 1, operation: "MaxPooling2D")
    var patches = window.patches(of: x)
    if padding != .valid {
      let isPadding = window.poolingCoverage(of: x) .== 0
      patches = select(isPadding, Tensor(-.infinity, like: patches), patches)
    }
    return patches.max(alongAxes: [3, 4])
  }
}

extension Window2D {
  /// `coverage`, after a check that no window lies in the padding altogether: there is nothing to
  /// pool there.
  func poolingCoverage(of images: Tensor) -> Tensor {
    let coverage = coverage(of: images)
    if (coverage.sum(alongAxes: [3, 4]) .== 0).anyTrue {
      stop(
        operation,
        """
        with a kernel of \(kernel) and padding \(padding), some windows over images \
        \(images.shape) contain padding only; pad by less than the kernel
        """)
    }
    return coverage
  }
}
