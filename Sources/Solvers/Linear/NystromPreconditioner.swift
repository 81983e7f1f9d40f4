import Autodiff

/// The randomised Nyström preconditioner for A = K + damping · I with positive semidefinite K.
///
/// K ≈ U Λ Uᵀ of some rank from as many products with random orthonormal vectors, and
///
///     P⁻¹ = (λ + μ) U (Λ + μ I)⁻¹ Uᵀ + (I − U Uᵀ),    μ the damping, λ the least of Λ.
///
/// It takes the large eigenvalues out of the spectrum: use it where they decay, as for kernel and
/// generalised linear models. With rank at twice the effective dimension tr K (K + μ I)⁻¹ the condition
/// number of P⁻¹A is below 28 with high probability, whatever that of A. `rank` products once per
/// operator, 4 n · rank operations per application, memory for n · rank elements.
///
/// Frangella, Tropp and Udell, Randomized Nyström preconditioning (2023).
public struct NystromPreconditioner: Preconditioner {
  /// The rank of the approximation, and the number of products it takes.
  public let rank: Int
  /// The multiple of the identity that A is known to contain, such as a ridge penalty.
  public let damping: Double
  /// The seed of the random vectors.
  public let seed: UInt64

  /// A preconditioner that is drawn when it first meets a matrix.
  ///
  /// - Parameters:
  ///   - rank: At least 1; more than the size of an operator is its size.
  ///   - damping: Not negative; 0 where nothing is known.
  ///   - seed: The same seed gives the same preconditioner on every machine.
  public init(rank: Int, damping: Double = 0, seed: UInt64 = 0) {
    guard rank >= 1 else {
      stop("NystromPreconditioner", "rank must be at least 1, found \(rank)")
    }
    guard damping >= 0, damping.isFinite else {
      stop(
        "NystromPreconditioner", "damping must be finite and not negative, found \(damping)")
    }
    self.rank = rank
    self.damping = damping
    self.seed = seed
  }

  /// P⁻¹ v.
  public func apply(_ v: Tensor, for a: LinearOperator) throws(SolverError) -> Tensor {
    let key = PreparationKey<Sketch>(
      "NystromPreconditioner", Double(rank), damping, Double(bitPattern: seed))
    let sketch = try a.prepared(key) {
      () throws(SolverError) -> Sketch in try makeSketch(of: a)
    }
    guard let vectors = sketch.vectors else { return v }
    return v + matmul(vectors, sketch.weights * matmul(vectors, v, transposeA: true))
  }

  /// U, and (λ + μ) / (Λ + μ) − 1; without vectors P = I.
  private struct Sketch {
    var vectors: Tensor?
    var weights = Tensor(0)
  }

  /// U and Λ of K Ω (Ωᵀ K Ω)⁺ Ωᵀ K, in double precision whatever the type of the operator.
  private func makeSketch(of a: LinearOperator) throws(SolverError) -> Sketch {
    var generator = PhiloxGenerator(seed: seed)
    var (test, image): ([Tensor], [Tensor]) = ([], [])
    for _ in 0..<min(rank, a.size) {
      let direction = Tensor.normal([a.size], using: &generator)
      // Twice is enough for orthogonality to working precision.
      let rest = removing(test, from: removing(test, from: direction))
      let vector = (rest / norm(rest)).cast(to: a.scalarType)
      test.append(vector.cast(to: .float64))
      image.append((try a(vector)).cast(to: .float64) - damping * test[test.count - 1])
    }
    let (omega, y) = (Tensor.stacked(test, alongAxis: 1), Tensor.stacked(image, alongAxis: 1))
    do {
      // Y (Ωᵀ Y)^(−1/2) =: B, so that K ≈ B Bᵀ; what is not positive in the core is left out.
      let core = try leadingEigen(matmul(omega, y, transposeA: true), above: 1e-13)
      if core.values.elementCount == 0 { return Sketch() }
      let b = matmul(y, core.vectors * rsqrt(core.values))
      // B = U Λ^½ Wᵀ from Bᵀ B = W Λ Wᵀ, as far as U keeps orthonormal columns.
      let gram = try leadingEigen(matmul(b, b, transposeA: true), above: 1e-10)
      if gram.values.elementCount == 0 { return Sketch() }
      let vectors = matmul(b, gram.vectors * rsqrt(gram.values))
      let weights = (gram.values.min() + damping) / (gram.values + damping) - 1
      return Sketch(
        vectors: vectors.cast(to: a.scalarType), weights: weights.cast(to: a.scalarType))
    } catch {
      // Values that are not finite: the solver meets them too, and reports them.
      return Sketch()
    }
  }

  private func removing(_ basis: [Tensor], from vector: Tensor) -> Tensor {
    basis.reduce(vector) { combination(1, $0, -inner($1, $0), $1) }
  }
}
