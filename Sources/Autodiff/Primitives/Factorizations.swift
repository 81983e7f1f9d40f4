/// A = L Lᵀ for symmetric positive definite A, of which the lower triangle is read.
///
/// Derivatives, for symmetric tangents: L̇ = L Φ(L⁻¹ Ȧ L⁻ᵀ) and Ā = sym(L⁻ᵀ Φ(Lᵀ L̄) L⁻¹), where Φ
/// keeps the lower triangle and halves the diagonal (I. Murray, arXiv:1602.07527).
package struct Cholesky: UnaryPrimitive {
  package typealias Failure = LinearAlgebraError

  package init() {}
  package var name: String { "cholesky" }
  package var residuals: Residuals { .outputs }

  package func evaluate(_ a: Tensor) throws(LinearAlgebraError) -> Tensor {
    try a.mappingMatrices { pointer, n, matrix throws(LinearAlgebraError) in
      let pivot = LinearAlgebra.cholesky(a.scalarType.kernelType, n: n, a: pointer, lda: max(1, n))
      if let pivot { throw .notPositiveDefinite(pivot: pivot, matrix: matrix) }
    }.lowerTriangle()
  }

  package func jvp(_ a: Tensor, _ l: Tensor, _ tangent: Tensor) throws(LinearAlgebraError)
    -> Tensor?
  {
    let half = try triangularSolve(l, tangent)
    let inner = try triangularSolve(l, half.transposed()).transposed()
    return matmul(l, halvedLowerTriangle(inner))
  }

  package func vjp(_ a: Tensor, _ l: Tensor, _ cotangent: Tensor) throws(LinearAlgebraError)
    -> Tensor?
  {
    let inner = halvedLowerTriangle(matmul(l, cotangent.lowerTriangle(), transposeA: true))
    let half = try triangularSolve(l, inner, transposed: true)
    return symmetrized(try triangularSolve(l, half.transposed(), transposed: true))
  }

  private func halvedLowerTriangle(_ x: Tensor) -> Tensor {
    x.lowerTriangle() - 0.5 * x.diagonal().embeddedDiagonal()
  }
}

// MARK: - Public functions

/// The lower triangular L with A = L Lᵀ.
///
/// - Parameter a: […, n, n], symmetric positive definite; (A + Aᵀ)/2 is factorised, so that the
///   derivative is that of a function of all elements.
/// - Throws: `LinearAlgebraError.notPositiveDefinite`.
public func cholesky(_ a: Tensor) throws(LinearAlgebraError) -> Tensor {
  a.requireSquare("cholesky")
  return try apply(Cholesky(), symmetrized(a))
}

/// (A + Aᵀ) / 2 on the last two axes.
public func symmetrized(_ a: Tensor) -> Tensor { 0.5 * (a + a.transposed()) }

extension Tensor {
  func requireSquare(_ operation: String) {
    Kernels.requireFloat(self, operation)
    guard rank >= 2, shape[rank - 1] == shape[rank - 2] else {
      stop(operation, "expected square matrices on the last two axes, found shape \(shape)")
    }
  }

  /// A copy whose square matrices `body` overwrites one by one.
  func mappingMatrices<E>(
    _ body: (UnsafeMutableRawPointer, _ n: Int, _ matrix: Int) throws(E) -> Void
  ) throws(E) -> Tensor {
    let n = shape[rank - 1]
    let result = Tensor(shape, scalarType) {
      $0.copyMemory(from: bytes, byteCount: elementCount * scalarType.byteCount)
    }
    for matrix in 0..<batchShape.elementCount {
      try body(result.bytes + matrix * n * n * scalarType.byteCount, n, matrix)
    }
    return result
  }
}
