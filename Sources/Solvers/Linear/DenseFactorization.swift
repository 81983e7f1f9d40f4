import Autodiff

/// What the direct methods share: the factorisation kept with the operator, the check that it can be
/// trusted, one step of iterative refinement, the status.
///
/// What is factorised is R A C, with powers of two that bring rows and columns to one size: neither
/// the pivots nor the verdict that A is singular depend on the units of unknowns and equations. The
/// residual is reported in those units where it is smaller there.
package struct DenseFactorization {
  /// Why the matrix cannot be solved with, or nil.
  let failure: SolverStatus.Outcome?
  private let matrix: Tensor
  private let scaling: Scaling
  private let inverse: (_ b: Tensor, _ transposed: Bool) -> Tensor

  init(matrix: Tensor, failure: SolverStatus.Outcome) {
    self.matrix = matrix
    self.failure = failure
    scaling = Scaling(general: matrix)
    inverse = { b, _ in b }
  }

  /// A factorisation, checked for singularity to working precision.
  ///
  /// - Parameters:
  ///   - scaling: R and C.
  ///   - scaledInverse: S⁻¹ b, or S⁻ᵀ b, of S = R A C.
  init(
    matrix: Tensor, scaling: Scaling, blocks: [VectorBlock],
    scaledInverse: @escaping (_ b: Tensor, _ transposed: Bool) -> Tensor
  ) {
    self.matrix = matrix
    self.scaling = scaling
    inverse = { b, transposed in
      transposed
        ? scaling.rows * scaledInverse(scaling.columns * b, true)
        : scaling.columns * scaledInverse(scaling.rows * b, false)
    }
    let n = matrix.shape[0]
    let scaled = scaling.applied(to: matrix)
    let columnNorm = abs(scaled).sum(alongAxis: 0).max().scalar
    let (inverseNorm, direction) = Self.inverseNorm(scaled, scaledInverse)
    let isRegular =
      columnNorm > 0 && columnNorm * inverseNorm * Double(n) * matrix.scalarType.ulpOfOne < 1
    failure =
      isRegular
      ? nil : .singular(blocks: .largest(of: finite(scaling.columns * direction), in: blocks))
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
    _ system: LinearSystem, tolerance: Double, _ method: String,
    factorize: (Tensor) throws(SolverError) -> DenseFactorization
  ) throws(SolverError) -> LinearSolution {
    let (a, b, transposed) = (system.matrix, system.rightHandSide, system.isTransposed)
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
    let factors = try kept(method, a, factorize: factorize)
    if let failure = factors.failure { return solution(zero, failure, [scale]) }
    let (x, residual) = factors.solved(b, transposed: transposed)
    // In the units that the factors have, in which an exact solve leaves rounding only.
    let units = transposed ? factors.scaling.columns : factors.scaling.rows
    let size = min(norm(residual), norm(units * residual) / norm(units * b) * scale)
    if !size.isFinite { return solution(zero, .notFinite, [scale]) }
    return solution(x, size <= tolerance * scale ? .converged : .stalled, [scale, size])
  }

  /// The factorisation of an operator's matrix; made once.
  static func kept(
    _ method: String, _ a: LinearOperator,
    factorize: (Tensor) throws(SolverError) -> DenseFactorization
  ) throws(SolverError) -> DenseFactorization {
    try a.prepared(PreparationKey(method)) { () throws(SolverError) -> DenseFactorization in
      let matrix = try a.dense()
      if !matrix.isFinite { return DenseFactorization(matrix: matrix, failure: .notFinite) }
      return try factorize(matrix)
    }
  }

  /// The solution of a system by the factors that are kept for its matrix, where there are any and it is converged:
  /// what is left where an iterative method can get no further.
  package static func keptSolution(
    _ system: LinearSystem
  ) throws(SolverError) -> LinearSolution? {
    guard let (kept, name) = kept(for: system.matrix) else { return nil }
    let solution = try solve(
      system, tolerance: system.tolerance, "\(name), kept from the certificate",
      factorize: { _ in kept })
    return solution.status.isConverged ? solution : nil
  }

  /// A solution of A x = b by another method after a step of refinement with the factors that are kept
  /// for A anyway, if there are any.
  ///
  /// An iterative method makes ‖b − A x‖ small, which says little of an unknown in a unit of its own
  /// or of a direction of small curvature. The step shows what is missing there.
  package static func refined(
    _ x: Tensor, of system: LinearSystem
  ) throws(SolverError) -> Tensor {
    guard let (kept, _) = kept(for: system.matrix) else { return x }
    let residual = try system.residual(at: x)
    let next = kept.refined(x, residual, system.isTransposed, of: system.rightHandSide)
    let units = system.isTransposed ? kept.scaling.columns : kept.scaling.rows
    return norm(units * next.residual) < norm(units * residual) ? next.x : x
  }

  /// The regular factors that are kept for a matrix, with the name of their method.
  private static func kept(for a: LinearOperator) -> (factors: Self, name: String)? {
    for name in [DenseCholesky.name, DenseLU.name] {
      if let factors = a.kept(PreparationKey<Self>(name)) {
        return factors.failure == nil ? (factors, name) : nil
      }
    }
    return nil
  }

  /// A⁻¹ b after one step of refinement, where that helps, and its residual.
  func solved(_ b: Tensor, transposed: Bool) -> (x: Tensor, residual: Tensor) {
    let first = refined(.zeros(like: b), b, transposed)
    let second = refined(first.x, first.residual, transposed, of: b)
    return norm(second.residual) < norm(first.residual) ? second : first
  }

  /// R: what makes the rows of A of one size.
  var rowScale: Tensor { scaling.rows }

  /// C: what makes the columns of A of one size.
  var columnScale: Tensor { scaling.columns }

  /// A direction that A changes little, relative to the sizes of rows and columns: two steps of
  /// inverse iteration.
  func weakDirection(like x: Tensor) -> Tensor {
    var generator = PhiloxGenerator(seed: 0x5745_414B)
    let first = inverse(normalVector(like: x, using: &generator) / scaling.rows, false)
    let size = norm(first / scaling.columns)
    return inverse(first / scaling.columns / scaling.rows / size, false)
  }

  /// x + A⁻¹ r and its residual.
  private func refined(
    _ x: Tensor, _ residual: Tensor, _ transposed: Bool, of b: Tensor? = nil
  ) -> (x: Tensor, residual: Tensor) {
    let x = x + inverse(residual, transposed)
    return (x, (b ?? residual) - (transposed ? matmul(x, matrix) : matmul(matrix, x)))
  }
}

extension DenseFactorization {
  /// Powers of two that bring the rows and columns of a matrix to one size.
  struct Scaling {
    let rows: Tensor
    let columns: Tensor

    /// The scaling of a symmetric matrix by its diagonal, |aᵢᵢ| ↦ about 1; by its largest element
    /// where a row has no diagonal.
    init(symmetric matrix: Tensor) {
      let diagonal = abs(matrix.diagonal())
      let sizes = select(diagonal .> 0, diagonal, abs(matrix).max(alongAxis: 1))
      rows = sizes.reciprocalPowersOfTwo(root: true)
      columns = rows
    }

    /// The scaling of rows, and then of columns, by their largest elements.
    init(general matrix: Tensor) {
      let magnitudes = abs(matrix)
      rows = magnitudes.max(alongAxis: 1).reciprocalPowersOfTwo(root: false)
      columns = (magnitudes * rows.expandingShape(at: 1)).max(alongAxis: 0)
        .reciprocalPowersOfTwo(root: false)
    }

    /// R A C.
    func applied(to matrix: Tensor) -> Tensor {
      matrix * rows.expandingShape(at: 1) * columns.expandingShape(at: 0)
    }
  }
}

extension Tensor {
  /// Powers of two near 1/v, or near 1/√v, of positive elements; 1 in the place of others.
  fileprivate func reciprocalPowersOfTwo(root: Bool) -> Tensor {
    let limit = scalarType == .float32 ? 60 : 500
    let powers = scalars.map { element -> Double in
      guard element > 0, element.isFinite else { return 1 }
      let exponent = root ? Int(element.exponent >> 1) : Int(element.exponent)
      return Double(
        sign: .plus, exponent: -Swift.min(Swift.max(exponent, -limit), limit), significand: 1)
    }
    return Tensor(powers).cast(to: scalarType)
  }

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
