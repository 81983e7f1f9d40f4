import Autodiff

/// What the direct methods share: the factorisation kept with the operator, the check that it can be
/// trusted, one step of iterative refinement, the status.
struct DenseFactorization {
  /// Why the matrix cannot be solved with, or nil.
  let failure: SolverStatus.Outcome?
  private let matrix: Tensor
  private let inverse: (_ b: Tensor, _ transposed: Bool) -> Tensor

  init(matrix: Tensor, failure: SolverStatus.Outcome) {
    self.matrix = matrix
    self.failure = failure
    inverse = { b, _ in b }
  }

  /// A factorisation, checked for singularity to working precision.
  ///
  /// - Parameter inverse: A⁻¹ b, or A⁻ᵀ b.
  init(
    matrix: Tensor, blocks: [VectorBlock],
    inverse: @escaping (_ b: Tensor, _ transposed: Bool) -> Tensor
  ) {
    self.matrix = matrix
    self.inverse = inverse
    let n = matrix.shape[0]
    let columnNorm = abs(matrix).sum(alongAxis: 0).max().scalar
    let (inverseNorm, direction) = Self.inverseNorm(matrix, inverse)
    let isRegular =
      columnNorm > 0 && columnNorm * inverseNorm * Double(n) * matrix.scalarType.ulpOfOne < 1
    failure =
      isRegular ? nil : .singular(blocks: .largest(of: finite(direction), in: blocks))
  }

  /// A lower estimate of ‖A⁻¹‖₁, almost always within a factor of 3, and the A⁻¹ x that gave it,
  /// which for a nearly singular matrix is nearly a null vector.
  ///
  /// Four to ten solves. Hager, Condition estimates (1984); Higham, FORTRAN codes for estimating the
  /// one-norm of a real or complex matrix (1988).
  private static func inverseNorm(
    _ matrix: Tensor, _ inverse: (_ b: Tensor, _ transposed: Bool) -> Tensor
  ) -> (Double, direction: Tensor) {
    let n = matrix.shape[0]
    let type = matrix.scalarType
    var x = Tensor(repeating: 1 / Double(n), shape: [n], type)
    var (best, direction) = (0.0, x)
    var last = -1
    for _ in 0..<5 {
      let y = inverse(x, false)
      let size = y.norm1().scalar
      guard size.isFinite else { return (.infinity, y) }
      if size <= best { break }
      (best, direction) = (size, y)
      // The gradient of ‖A⁻¹ x‖₁ in x points to the column to try next.
      let signs = select(y .>= 0, .ones(like: y), -Tensor.ones(like: y))
      let index = Int(abs(inverse(signs, true)).argmax(alongAxis: 0).scalar)
      if index == last { break }
      last = index
      x = .basisVector(index, n, type)
    }
    // A vector of alternating signs and growing size, for matrices made to defeat the above.
    let ramp = (0..<n).map { i -> Double in
      let size = 1 + Double(i) / Double(max(1, n - 1))
      return i.isMultiple(of: 2) ? size : -size
    }
    let y = inverse(Tensor(ramp).cast(to: type), false)
    let size = 2 * y.norm1().scalar / Double(3 * n)
    return size > best || !size.isFinite ? (size, y) : (best, direction)
  }

  /// Solves with one step of refinement, as direct methods do.
  static func solve(
    _ method: String, _ a: LinearOperator, _ b: Tensor, transposed: Bool, tolerance: Double,
    factorize: (Tensor) throws(BilevelError) -> DenseFactorization
  ) throws(BilevelError) -> LinearSolution {
    a.require(b, nil, tolerance, method)
    let b = stopGradient(b)
    let scale = norm(b)
    let productsBefore = a.productCount
    func solution(
      _ x: Tensor, _ outcome: SolverStatus.Outcome, _ history: [Double]
    ) -> LinearSolution {
      LinearSolution(
        value: x,
        status: SolverStatus(
          method: method, outcome: outcome, history: history, threshold: tolerance * scale,
          scale: scale, evaluations: a.productCount - productsBefore))
    }
    let zero = Tensor.zeros(like: b)
    if scale == 0 { return solution(zero, .converged, [0]) }
    if !scale.isFinite { return solution(zero, .notFinite, [scale]) }
    let factors = try a.prepared(method) { () throws(BilevelError) -> DenseFactorization in
      let matrix = try a.dense()
      if !matrix.isFinite { return DenseFactorization(matrix: matrix, failure: .notFinite) }
      return try factorize(matrix)
    }
    if let failure = factors.failure { return solution(zero, failure, [scale]) }
    var (x, residual) = factors.refined(zero, b, transposed)
    let refined = factors.refined(x, residual, transposed, of: b)
    if norm(refined.residual) < norm(residual) { (x, residual) = refined }
    let size = norm(residual)
    if !size.isFinite { return solution(zero, .notFinite, [scale]) }
    return solution(x, size <= tolerance * scale ? .converged : .stalled, [scale, size])
  }

  /// x + A⁻¹ r and its residual.
  private func refined(
    _ x: Tensor, _ residual: Tensor, _ transposed: Bool, of b: Tensor? = nil
  ) -> (x: Tensor, residual: Tensor) {
    let x = x + inverse(residual, transposed)
    return (x, (b ?? residual) - (transposed ? matmul(x, matrix) : matmul(matrix, x)))
  }
}

extension Tensor {
  /// The same values in memory of their own, which may be written to before anyone else sees it.
  func copied() -> Tensor {
    Tensor(shape, scalarType) {
      $0.copyMemory(from: bytes, byteCount: elementCount * scalarType.byteCount)
    }
  }
}

/// A direction as numbers, where it overflowed as its infinite elements.
private func finite(_ direction: Tensor) -> [Double] {
  let elements = direction.scalars
  let largest = elements.reduce(0) { max($0, abs($1)) }
  if largest.isFinite { return elements.map { largest > 0 ? $0 / largest : 0 } }
  return elements.map { $0.isFinite ? 0 : 1 }
}
