import Autodiff

extension TensorTree {
  /// The Euclidean norm over all elements of all floating-point tensors together.
  ///
  /// Infinite or NaN exactly where some element is, up to overflow of the norm itself.
  ///
  /// - Precondition: The tree is not being differentiated: the result is a number.
  public var globalNorm: Double {
    let leaves = tensors.filter { $0.scalarType.isFloatingPoint }
    let squares = leaves.reduce(0) { $0 + square($1).sum().scalar }
    // In this range no square has overflowed, and those that vanished do not count, in float32 too.
    if squares > 1e-30 && squares < 1e30 { return squares.squareRoot() }
    let norms = leaves.map { $0.norm().scalar }
    let largest = norms.max() ?? 0
    // Scaled, so that no square overflows or vanishes; NaN stays.
    guard largest > 0, largest < .infinity else { return norms.reduce(0, +) }
    return largest * norms.reduce(0) { $0 + ($1 / largest) * ($1 / largest) }.squareRoot()
  }

  /// The tree scaled down to a global norm of at most `limit`, and the norm it had.
  ///
  ///     let (clipped, norm) = gradient.clipped(toNorm: 1)
  ///     guard norm.isFinite else { ... }
  ///
  /// Pascanu, Mikolov and Bengio, On the difficulty of training recurrent neural networks (2013).
  /// A tree within the limit comes back bit for bit; one whose norm is not finite has no direction
  /// and comes back unchanged.
  ///
  /// - Precondition: `limit` is positive; the tree is not being differentiated.
  public func clipped(toNorm limit: Double) -> (clipped: Self, norm: Double) {
    guard limit > 0 else { stop("clipped", "expected a limit above 0, found \(limit)") }
    let norm = globalNorm
    guard norm > limit, norm < .infinity else { return (self, norm) }
    return (limit / norm * self, norm)
  }
}
