import Autodiff

/// Gaussian elimination for A x = b with any regular A, from the dense matrix.
///
/// n products and n² memory for the matrix, 2 n³ / 3 operations for its LU factorisation with partial
/// pivoting, both once per operator; then 2 n² per right-hand side, transposed or not, and as much
/// again for one step of iterative refinement. The choice for n up to a few hundred, and for many
/// right-hand sides. A start is of no use to it.
///
/// A matrix that is singular to working precision (n · ulp times the estimated condition number is
/// at least 1) is reported as `singular` with the parts of the inner variable that its null direction
/// lies in. Golub and Van Loan, Matrix Computations (2013), sections 3.4 and 3.5.
public struct DenseLU: LinearSolver {
  public let tolerance: Double?
  public var formsMatrix: Bool { true }

  /// LU factorisation of the matrix, formed column by column.
  ///
  /// - Parameter tolerance: The relative residual; nil is what the system asks for.
  public init(tolerance: Double? = nil) {
    requireTolerance(tolerance, "DenseLU")
    self.tolerance = tolerance
  }

  public func solve(_ system: LinearSystem) throws(SolverError) -> LinearSolution {
    try DenseFactorization.solve(
      system, tolerance: tolerance(for: system), Self.name,
      factorize: { matrix in Self.factorize(matrix, system.matrix.blocks) })
  }

  /// The factorisation of an operator's matrix; made once.
  package static func factors(of a: LinearOperator) throws(SolverError) -> DenseFactorization {
    try DenseFactorization.kept(name, a) { matrix in factorize(matrix, a.blocks) }
  }

  static let name = "DenseLU"

  private static func factorize(_ matrix: Tensor, _ blocks: [VectorBlock]) -> DenseFactorization {
    let n = matrix.shape[0]
    let type = matrix.scalarType
    let scaling = DenseFactorization.Scaling(general: matrix)
    let scaled = scaling.applied(to: matrix)
    let factors = scaled.copied()
    let pivots = Tensor([n], .int32) { _ in }
    let rows = pivots.bytes.assumingMemoryBound(to: Int32.self)
    _ = LinearAlgebra.luFactor(
      type.kernelType, n: n, a: factors.bytes, lda: n, pivots: rows)
    // A zero pivot in the place of which stands rounding: the factors then belong to a matrix next
    // to A, and the condition estimate finds A singular, and the null direction.
    let floor = type.ulpOfOne * abs(scaled).max().scalar * 1e-3
    let diagonal = factors.diagonal().scalars
    for (index, pivot) in diagonal.enumerated() where pivot == 0 {
      let address = factors.bytes + index * (n + 1) * type.byteCount
      if type == .float32 {
        address.storeBytes(of: Float(max(floor, 1e-30)), as: Float.self)
      } else {
        address.storeBytes(of: max(floor, 1e-290), as: Double.self)
      }
    }
    return DenseFactorization(matrix: matrix, scaling: scaling, blocks: blocks) { b, transposed in
      let x = b.copied()
      _ = LinearAlgebra.luSolve(
        type.kernelType, transposed: transposed, n: n, rightHandSides: 1, lu: factors.bytes,
        ldlu: n, pivots: pivots.bytes.assumingMemoryBound(to: Int32.self), b: x.bytes, ldb: 1)
      return x
    }
  }
}
