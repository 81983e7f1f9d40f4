/// The singular values of A, […, min(m, n)], the largest first.
///
/// Computed from A itself and never from AᵀA, whose eigenvalues lose half of the digits: a value has an
/// error near ulp ‖A‖₂, so condition numbers up to 1/ulp are told apart from a lower rank. The bits are the
/// same on every machine. Where the derivative is needed, √`symmetricEigenvalues` of AᵀA has one.
///
/// - Parameter a: […, m, n].
/// - Throws: `LinearAlgebraError.notFinite` where an element is infinite or NaN.
/// - Precondition: A is a constant of every running transform.
/// - Complexity: About 3 k² l + 30 k³ operations for k = min(m, n), l = max(m, n).
public func singularValues(_ a: Tensor) throws(LinearAlgebraError) -> Tensor {
  let name = "singularValues"
  Kernels.requireFloat(a, name)
  guard a.rank >= 2 else {
    stop(name, "expected matrices on the last two axes, found shape \(a.shape)")
  }
  guard !a.isTraced else {
    stop(
      name,
      """
      the matrix is being differentiated, and singular values have no derivative here. Use \
      sqrt(symmetricEigenvalues(matmul(a, a, transposeA: true))), or stopGradient(a) if constants are \
      meant
      """)
  }
  let (m, n) = (a.shape[a.rank - 2], a.shape[a.rank - 1])
  let (batch, type) = (a.batchShape, a.scalarType)
  let values = Tensor(Shape(Array(batch) + [min(m, n)]), type) { _ in }
  for matrix in 0..<batch.elementCount {
    let hasConverged = LinearAlgebra.singularValues(
      type.kernelType, m: m, n: n, a: a.bytes + matrix * m * n * type.byteCount, lda: max(1, n),
      values: values.bytes + matrix * min(m, n) * type.byteCount)
    if !hasConverged { throw .notFinite(matrix: matrix) }
  }
  return values
}
