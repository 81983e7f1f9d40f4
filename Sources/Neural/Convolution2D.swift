import Autodiff

/// A convolution of images in the layout [n, height, width, channels].
///
///     y[n, i, j, o] = b[o] + Σ x[n, i·s − p + k·d, j·s − p + l·d, c] W[k, l, c, o]
///
/// summed over k, l and c, with stride s, padding p of zeros and dilation d, each of its own along
/// each axis. As in all such libraries the kernel is not mirrored: it is a cross-correlation.
/// Leaves: `weight`, then `bias` if there is one.
public struct Convolution2D: Layer {
  /// W, of shape [kernel height, kernel width, inputs, outputs].
  ///
  /// PyTorch stores [outputs, inputs, kernel height, kernel width].
  public var weight: Tensor
  /// b, of shape [outputs].
  public var bias: Tensor?
  /// How far neighbouring windows lie apart.
  public let stride: Size2D
  /// How many zeros stand around the images.
  public let padding: Padding2D
  /// How far the elements of a window lie apart.
  public let dilation: Size2D

  /// Creates a layer from its tensors.
  ///
  /// - Precondition: `weight` is floating-point with four axes, `bias` a vector of its scalar type
  ///   and as long as its last axis.
  public init(
    weight: Tensor, bias: Tensor? = nil, stride: Size2D = 1, padding: Padding2D = .valid,
    dilation: Size2D = 1
  ) {
    requireAffine(
      "Convolution2D", weight, ["kernel height", "kernel width", "inputs", "outputs"], bias)
    self.weight = weight
    self.bias = bias
    self.stride = stride
    self.padding = padding
    self.dilation = dilation
  }

  /// Creates a layer with random parameters.
  ///
  /// - Parameters:
  ///   - inputChannels: The length of the last axis of the inputs.
  ///   - outputChannels: The length of the last axis of the outputs.
  ///   - kernel: The size of the windows, in elements.
  ///   - stride: How far neighbouring windows lie apart.
  ///   - padding: How many zeros stand around the images.
  ///   - dilation: How far the elements of a window lie apart.
  ///   - weight: How W is drawn; by default as PyTorch does, uniform on ±1/√(inputs · kernel area).
  ///   - bias: How b is drawn, by default like W; nil for a layer without bias.
  ///   - scalarType: `float32` or `float64`.
  ///   - generator: Where the numbers come from; the weight is drawn first.
  public init(
    inputChannels: Int, outputChannels: Int, kernel: Size2D, stride: Size2D = 1,
    padding: Padding2D = .valid, dilation: Size2D = 1, weight: Initializer = .fanInUniform,
    bias: Initializer? = .fanInUniform, scalarType: ScalarType = .float64,
    using generator: inout PhiloxGenerator
  ) {
    let area = kernel.height * kernel.width
    let fans = Initializer.Fans(input: inputChannels * area, output: outputChannels * area)
    let shape: Shape = [kernel.height, kernel.width, inputChannels, outputChannels]
    let w = weight.tensor(shape, fans, scalarType, using: &generator)
    let b = bias?.tensor([outputChannels], fans, scalarType, using: &generator)
    self.init(weight: w, bias: b, stride: stride, padding: padding, dilation: dilation)
  }

  /// The convolved images.
  ///
  /// - Parameter x: [n, height, width, inputs].
  /// - Returns: [n, output height, output width, outputs].
  public func callAsFunction(_ x: Tensor) -> Tensor {
    let (inputs, outputs) = (weight.shape[2], weight.shape[3])
    guard x.rank == 4, x.shape[3] == inputs else {
      stop(
        "Convolution2D",
        "a weight \(weight.shape) takes images [n, height, width, \(inputs)], found shape "
          + "\(x.shape)")
    }
    let window = Window2D(
      kernel: Size2D(height: weight.shape[0], width: weight.shape[1]), stride: stride,
      padding: padding, dilation: dilation, operation: "Convolution2D")
    let patches = window.patches(of: x)
    // One matrix product: a row per window, a column per output.
    let windowCount = patches.shape[0] * patches.shape[1] * patches.shape[2]
    let windowSize = patches.shape[3] * patches.shape[4] * inputs
    let product = matmul(
      patches.reshaped(to: Shape([windowCount, windowSize])),
      weight.reshaped(to: Shape([windowSize, outputs])))
    let y = product.reshaped(
      to: Shape([patches.shape[0], patches.shape[1], patches.shape[2], outputs]))
    return bias.map { y + $0 } ?? y
  }
}
