import Autodiff

/// An affine map of the last axis: y = x W + b.
///
/// Leaves: `weight`, then `bias` if there is one.
public struct Dense: Layer {
  /// W, of shape [inputs, outputs]: the transpose of what PyTorch stores.
  public var weight: Tensor
  /// b, of shape [outputs].
  public var bias: Tensor?

  /// Creates a layer from its tensors.
  ///
  /// - Precondition: `weight` is a floating-point matrix and `bias` a vector of its scalar type, as
  ///   long as the matrix has columns.
  public init(weight: Tensor, bias: Tensor? = nil) {
    requireAffine("Dense", weight, ["inputs", "outputs"], bias)
    self.weight = weight
    self.bias = bias
  }

  /// Creates a layer with random parameters.
  ///
  /// - Parameters:
  ///   - inputSize: The length of the last axis of the inputs.
  ///   - outputSize: The length of the last axis of the outputs.
  ///   - weight: How W is drawn; by default as PyTorch does, uniform on ±1/√inputs.
  ///   - bias: How b is drawn, by default like W; nil for a layer without bias.
  ///   - scalarType: `float32` or `float64`.
  ///   - generator: Where the numbers come from; the weight is drawn first.
  public init(
    inputSize: Int, outputSize: Int, weight: Initializer = .fanInUniform,
    bias: Initializer? = .fanInUniform, scalarType: ScalarType = .float64,
    using generator: inout PhiloxGenerator
  ) {
    let fans = Initializer.Fans(input: inputSize, output: outputSize)
    let w = weight.tensor([inputSize, outputSize], fans, scalarType, using: &generator)
    let b = bias?.tensor([outputSize], fans, scalarType, using: &generator)
    self.init(weight: w, bias: b)
  }

  /// The length of the last axis of the inputs.
  public var inputSize: Int { weight.shape[0] }

  /// The length of the last axis of the outputs.
  public var outputSize: Int { weight.shape[1] }

  /// x W + b.
  ///
  /// - Parameter x: […, inputs].
  /// - Returns: […, outputs].
  public func callAsFunction(_ x: Tensor) -> Tensor {
    requireFeatures("Dense", x, inputSize, of: weight)
    let product = matmul(x, weight)
    return bias.map { product + $0 } ?? product
  }
}

/// The tensors of an affine map, checked against each other.
func requireAffine(_ layer: String, _ weight: Tensor, _ axes: [String], _ bias: Tensor?) {
  guard weight.rank == axes.count, weight.scalarType.isFloatingPoint else {
    stop(
      layer,
      "expected a floating-point weight [\(axes.joined(separator: ", "))], found \(weight.shape) "
        + "\(weight.scalarType)")
  }
  let outputs = weight.shape[axes.count - 1]
  if let bias, bias.shape != [outputs] || bias.scalarType != weight.scalarType {
    stop(
      layer,
      "a weight \(weight.shape) \(weight.scalarType) needs a bias [\(outputs)] of that type, found "
        + "\(bias.shape) \(bias.scalarType)")
  }
}

/// The features of a batch, as many as a weight takes.
func requireFeatures(_ layer: String, _ x: Tensor, _ count: Int, of weight: Tensor) {
  guard x.shape.last == count else {
    stop(
      layer, "a weight \(weight.shape) takes inputs […, \(count)], found shape \(x.shape)")
  }
}
