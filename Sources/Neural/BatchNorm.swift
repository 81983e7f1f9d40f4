import Autodiff

/// Standardises every feature (the last axis) over the batch, then scales and shifts it:
/// y = (x − mean) / √(variance + ε) · weight + bias.
///
/// In training (`layer(x, &pass)`), mean and variance are those of the inputs over all axes but the
/// last, the variance divided by their number m; derivatives go through them. Each such call moves
/// the running statistics on,
///
///     running mean     ← (1 − momentum) running mean     + momentum mean
///     running variance ← (1 − momentum) running variance + momentum variance m / (m − 1)
///
/// which the model takes over by `adopt(_:)` and which `layer(x)` uses in place of the batch's.
/// They are constants for every derivative. Ioffe and Szegedy, Batch normalization (2015); momentum
/// and the unbiased running variance are those of PyTorch. Leaves: `weight`, `bias`; state:
/// `runningMean`, `runningVariance`.
public struct BatchNorm: Layer {
  /// The scale, of shape [features].
  public var weight: Tensor
  /// The shift, of shape [features].
  public var bias: Tensor
  /// The mean for evaluation, of shape [features]; 0 before training.
  @Constant public var runningMean: Tensor
  /// The variance for evaluation, of shape [features]; 1 before training.
  @Constant public var runningVariance: Tensor
  /// How much of a batch's statistics enters the running ones.
  public var momentum: Double
  /// ε, added to the variance.
  public var epsilon: Double

  /// Creates a layer that only standardises: weight 1, bias 0.
  ///
  /// - Precondition: A momentum in [0, 1].
  public init(
    featureCount: Int, momentum: Double = 0.1, epsilon: Double = 1e-5,
    scalarType: ScalarType = .float64
  ) {
    guard (0...1).contains(momentum) else {
      stop("BatchNorm", "expected a momentum in [0, 1], found \(momentum)")
    }
    weight = Tensor.ones([featureCount], scalarType)
    bias = Tensor.zeros([featureCount], scalarType)
    _runningMean = Constant(wrappedValue: Tensor.zeros([featureCount], scalarType))
    _runningVariance = Constant(wrappedValue: Tensor.ones([featureCount], scalarType))
    self.momentum = momentum
    self.epsilon = epsilon
  }

  /// The inputs normalised by the running statistics.
  ///
  /// - Parameter x: […, features].
  /// - Returns: […, features].
  public func callAsFunction(_ x: Tensor) -> Tensor {
    requireFeatures("BatchNorm", x, weight.elementCount, of: weight)
    // A model converted leaf by leaf to another scalar type keeps its state in the old one.
    let mean = runningMean.cast(to: x.scalarType)
    let variance = runningVariance.cast(to: x.scalarType)
    return (x - mean) * (rsqrt(variance + epsilon) * weight) + bias
  }

  /// The inputs normalised by their own statistics, which also enter the running ones.
  ///
  /// - Parameter x: […, features], with at least two rows.
  /// - Returns: […, features].
  public func callAsFunction(_ x: Tensor, _ pass: inout TrainingPass) -> Tensor {
    requireFeatures("BatchNorm", x, weight.elementCount, of: weight)
    let count = x.shape.dropLast().reduce(1, *)
    guard count >= 2 else {
      stop(
        "BatchNorm",
        """
        training needs at least two values per feature, found shape \(x.shape); drop a last batch \
        of one row
        """)
    }
    let axes = Array(0..<x.rank - 1)
    let mean = x.mean(alongAxes: axes)
    let deviation = x - mean
    let variance = square(deviation).mean(alongAxes: axes)
    let unbiased = Double(count) / Double(count - 1)
    record(stopGradient(mean), in: runningMean, &pass)
    record(stopGradient(variance) * unbiased, in: runningVariance, &pass)
    return deviation * (rsqrt(variance + epsilon) * weight) + bias
  }

  private func record(_ batch: Tensor, in running: Tensor, _ pass: inout TrainingPass) {
    pass.update(running) { $0 + momentum * (batch.cast(to: $0.scalarType) - $0) }
  }

  /// Visits the running statistics.
  public mutating func visitState(_ visitor: inout TensorVisitor) {
    visitor.visit(&runningMean, "runningMean")
    visitor.visit(&runningVariance, "runningVariance")
  }
}
