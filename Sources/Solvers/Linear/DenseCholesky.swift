import Autodiff

/// Cholesky's method for A x = b with symmetric positive definite A, from the dense matrix.
///
/// n products and n² memory for the matrix, n³ / 3 operations for its factorisation, both once per
/// operator; then 2 n² per right-hand side, and as much again for one step of iterative refinement.
/// The choice for the Hessian at a minimum with n up to a few hundred, and for many right-hand sides.
/// A start is of no use to it.
///
/// A matrix that is not symmetric is refused. One that is not positive definite is reported as
/// `indefinite` with a direction of negative curvature, one that is singular to working precision
/// (n · ulp times the estimated condition number is at least 1) as `singular`, each with the parts of
/// the inner variable concerned. Golub and Van Loan, Matrix Computations (2013), section 4.2.
public struct DenseCholesky: LinearSolver {
  public let tolerance: Double?
  public var formsMatrix: Bool { true }

  /// Cholesky factorisation of the matrix, formed column by column.
  ///
  /// - Parameter tolerance: The relative residual; nil is what the system asks for.
  public init(tolerance: Double? = nil) {
    requireTolerance(tolerance, "DenseCholesky")
    self.tolerance = tolerance
  }

  public func solve(_ system: LinearSystem) throws(SolverError) -> LinearSolution {
    try DenseFactorization.solve(
      system, tolerance: tolerance(for: system), Self.name,
      factorize: { matrix in Self.checked(matrix, system.matrix) })
  }

  /// The factorisation of an operator's matrix; made once.
  static func factors(of a: LinearOperator) throws(SolverError) -> DenseFactorization {
    try DenseFactorization.kept(name, a) { matrix in checked(matrix, a) }
  }

  static let name = "DenseCholesky"

  private static func checked(_ matrix: Tensor, _ a: LinearOperator) -> DenseFactorization {
    let difference = (matrix - matrix.transposed()).norm().scalar
    let asymmetry = difference == 0 ? 0 : difference / matrix.norm().scalar
    if let refusal = asymmetryRefusal(asymmetry, a.scalarType) {
      return DenseFactorization(matrix: matrix, failure: refusal)
    }
    return factorize(symmetrized(matrix), a.blocks)
  }

  private static func factorize(_ matrix: Tensor, _ blocks: [VectorBlock]) -> DenseFactorization {
    let scaling = DenseFactorization.Scaling(symmetric: matrix)
    let scaled = scaling.applied(to: matrix)
    do {
      let factor = try cholesky(scaled)
      let (n, type) = (matrix.shape[0], matrix.scalarType)
      return DenseFactorization(matrix: matrix, scaling: scaling, blocks: blocks) { b, _ in
        let x = b.copied()
        for transposed in [false, true] {
          _ = LinearAlgebra.triangularSolve(
            type.kernelType, lower: true, transposed: transposed, n: n, rightHandSides: 1,
            t: factor.bytes, ldt: n, b: x.bytes, ldb: 1)
        }
        return x
      }
    } catch .notPositiveDefinite(let pivot, _) {
      return DenseFactorization(matrix: matrix, failure: failure(scaled, pivot, scaling, blocks))
    } catch {
      return DenseFactorization(matrix: matrix, failure: .notFinite)
    }
  }

  /// The direction of the pivot of the scaled matrix that is not positive.
  ///
  /// With the leading block C of the rows before it, which is positive definite, and c = the row's
  /// part there, v = (−C⁻¹ c, 1, 0) has vᵀ A v = that pivot.
  private static func failure(
    _ matrix: Tensor, _ pivot: Int, _ scaling: DenseFactorization.Scaling, _ blocks: [VectorBlock]
  ) -> SolverStatus.Outcome {
    let n = matrix.shape[0]
    var parts = [Tensor.basisVector(0, n - pivot, matrix.scalarType)]
    if pivot > 0 {
      let before = matrix[0..<pivot, 0..<pivot]
      let row = matrix[pivot, 0..<pivot]
      parts.insert((try? -solvePositiveDefinite(before, row)) ?? .zeros(like: row), at: 0)
    }
    let v = Tensor.concatenated(parts)
    let energy = inner(v, matmul(matrix, v))
    let direction = scaling.columns * v
    let largest: [SolverStatus.BlockShare] = .largest(of: direction.scalars, in: blocks)
    let rounding = Double(n) * matrix.scalarType.ulpOfOne * abs(matrix).max().scalar
    return abs(energy) <= rounding * inner(v, v)
      ? .singular(blocks: largest)
      : .indefinite(curvature: energy / inner(direction, direction), blocks: largest)
  }
}
