import Autodiff

/// Sets elements to 0 at random in training and scales the others: y = x · mask / (1 − p), with
/// independent mask elements that are 0 with probability p.
///
/// Outside training (`layer(x)`) it is the identity, which is the mean of y. The mask is drawn from
/// the generator of the training pass, one number per element, and is a constant for every
/// derivative. Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, Dropout (2014), scaled
/// in training. A layer without tensors.
public struct Dropout: Layer {
  /// p, in [0, 1).
  public let probability: Double

  /// Creates a layer that drops elements with a probability.
  ///
  /// - Precondition: 0 ≤ p < 1.
  public init(probability: Double) {
    guard probability >= 0, probability < 1 else {
      stop("Dropout", "expected a probability in [0, 1), found \(probability)")
    }
    self.probability = probability
  }

  /// x: nothing is dropped outside training.
  public func callAsFunction(_ x: Tensor) -> Tensor { x }

  /// x with elements dropped by a new mask.
  public func callAsFunction(_ x: Tensor, _ pass: inout TrainingPass) -> Tensor {
    // In float64 whatever the type of x, so that the mask is the same.
    let mask = Tensor.uniform(x.shape, using: &pass.generator) .>= probability
    return x * (mask.cast(to: x.scalarType) / (1 - probability))
  }
}
