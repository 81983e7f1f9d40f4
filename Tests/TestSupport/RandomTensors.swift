import Autodiff

/// Standard normal vectors and matrices.
package func normal(_ shape: Shape, seed: UInt64) -> Tensor {
  var generator = PhiloxGenerator(seed: seed)
  return Tensor.normal(shape, using: &generator)
}
