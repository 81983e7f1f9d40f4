import Autodiff

extension LinearOperator {
  /// diag A, from as many products: exact where there are n or more, otherwise the mean of z ∘ A z over
  /// random signs z, of which the error is that of the elements beside the diagonal.
  ///
  /// The exact one can be differentiated. Hutchinson (1990); Bekas, Kokiopoulou and Saad, An estimator for
  /// the diagonal of a matrix (2007).
  package func diagonal(products: Int = .max, seed: UInt64 = 0) throws(SolverError) -> Tensor {
    if size == 0 { return .zeros([0], scalarType) }
    guard products < size else {
      var elements: [Tensor] = []
      for index in 0..<size {
        let basis = Tensor.basisVector(index, size, scalarType)
        elements.append(dot(basis, try self(basis)))
      }
      return .stacked(elements)
    }
    var generator = PhiloxGenerator(seed: seed)
    var sum = Tensor.zeros([size], scalarType)
    for _ in 0..<products {
      let signs = 2 * Tensor.integers([size], in: 0..<2, using: &generator).cast(to: scalarType) - 1
      sum = combination(1, sum, 1 / Double(products), signs * (try self(signs)))
    }
    return sum
  }

  /// λmax(P⁻¹ A) for a symmetric positive definite A, by power iteration from a seeded start.
  ///
  /// P⁻¹ A is self-adjoint in the inner product of A, so its Rayleigh quotient there grows towards λmax
  /// from below; 5 % are added for what is missing after the last iteration. Slow growth at first means
  /// nothing in high dimensions, where a random start hardly sees an outlying eigenvalue.
  ///
  /// - Parameter inverse: v ↦ P⁻¹ v.
  /// - Returns: 0 or less where vᵀ A v ≤ 0 was met, so that A is not positive definite.
  package func largestEigenvalue(preconditionedBy inverse: Product) throws(SolverError) -> Double {
    guard size > 0 else { return 1 }
    var generator = PhiloxGenerator(seed: 0)
    var v = Tensor.normal([size], scalarType, using: &generator)
    var estimate = 0.0
    for iteration in 0..<40 {
      let image = try self(v)
      let next = try inverse(image)
      let energy = inner(v, image)
      let quotient = inner(image, next) / energy
      if energy <= 0 { return energy / inner(v, v) }
      guard quotient.isFinite else { break }
      let hasSettled = quotient <= estimate * (1 + 1e-4)
      estimate = max(estimate, quotient)
      if hasSettled, iteration >= 10 { break }
      v = next / norm(next)
    }
    return 1.05 * estimate
  }
}
