import Autodiff

/// All axes but the first as one: [n, …] to [n, the product of the others], in row-major order.
///
/// A layer without tensors.
public struct Flatten: Layer {
  /// A layer without settings.
  public init() {}

  /// The rows as vectors.
  ///
  /// - Parameter x: [n, …], with at least one axis.
  /// - Returns: [n, elements of a row].
  public func callAsFunction(_ x: Tensor) -> Tensor {
    guard x.rank >= 1 else {
      stop("Flatten", "expected inputs [n, …], found a scalar")
    }
    // Not inferred from the count, which an empty batch does not tell.
    return x.reshaped(to: Shape([x.shape[0], Array(x.shape).dropFirst().reduce(1, *)]))
  }
}
