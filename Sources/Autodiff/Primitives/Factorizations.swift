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

/// w, V with A = V diag(w) Vᵀ for symmetric A, of which the lower triangle is read.
///
/// With M = Vᵀ Ȧ V and Fᵢⱼ = 1 / (wⱼ − wᵢ) off the diagonal: ẇ = diag M, V̇ = V (F ∘ M), and
/// Ā = sym(V (diag w̄ + F ∘ (Vᵀ V̄)) Vᵀ) (M. Giles 2008, §3.1).
package struct SymmetricEigen: Primitive {
  package typealias Failure = LinearAlgebraError

  package init() {}
  package var name: String { "symmetricEigen" }
  package var residuals: Residuals { .outputs }

  package func evaluate(_ inputs: [Tensor]) throws(LinearAlgebraError) -> [Tensor] {
    let a = inputs[0]
    let n = a.shape[a.rank - 1]
    let type = a.scalarType
    let values = Tensor(a.shape.removing(axis: a.rank - 1), type) { _ in }
    let vectors = try a.mappingMatrices { pointer, n, matrix throws(LinearAlgebraError) in
      let hasConverged = LinearAlgebra.symmetricEigen(
        type.kernelType, n: n, a: pointer, lda: max(1, n),
        values: values.bytes + matrix * n * type.byteCount)
      if !hasConverged { throw .notConverged(matrix: matrix) }
    }
    if n > 0, !values.isFinite { throw .notConverged(matrix: 0) }
    return [values, vectors]
  }

  package func jvp(_ point: Point, _ tangents: [Tensor?]) throws(LinearAlgebraError) -> [Tensor?] {
    guard let tangent = tangents[0] else { return [nil, nil] }
    let (w, v) = (point.outputs[0], point.outputs[1])
    let m = matmul(matmul(v, tangent, transposeA: true), v)
    return [m.diagonal(), matmul(v, m * (try inverseGaps(w)))]
  }

  package func vjp(_ point: Point, _ cotangents: [Tensor?]) throws(LinearAlgebraError) -> [Tensor?]
  {
    let (w, v) = (point.outputs[0], point.outputs[1])
    var inner = cotangents[0]?.embeddedDiagonal()
    if let v̄ = cotangents[1] {
      let rotation = matmul(v, v̄, transposeA: true) * (try inverseGaps(w))
      inner = inner.map { $0 + rotation } ?? rotation
    }
    return [inner.map { symmetrized(matmul(matmul(v, $0), v, transposeB: true)) }]
  }

  private func inverseGaps(_ w: Tensor) throws(LinearAlgebraError) -> Tensor {
    let gaps = w.expandingShape(at: -2) - w.expandingShape(at: -1)
    let n = w.shape[w.rank - 1]
    // Eigenvalues are ascending, so equal ones are neighbours. Rounding leaves equal ones apart by
    // some ulp of the largest, and a gap amplifies the error of the vectors by ulp / gap.
    let values = stopGradient(w).scalars
    for index in values.indices.dropLast() where (index + 1) % n != 0 {
      let row = index / n * n
      let largest = Swift.max(values[row].magnitude, values[row + n - 1].magnitude)
      let resolution = 1e4 * Double(n) * w.scalarType.ulpOfOne * largest
      if values[index + 1] - values[index] <= resolution {
        throw .equalEigenvalues(first: index % n, second: index % n + 1, matrix: index / n)
      }
    }
    let identity = Tensor.identity(n, w.scalarType)
    return (1 / (gaps + identity)) * (1 - identity)
  }
}

/// The eigenvalues alone: first derivatives exist even where eigenvalues are equal and a symmetric
/// function of them follows.
package struct SymmetricEigenvalues: UnaryPrimitive {
  package typealias Failure = LinearAlgebraError

  package init() {}
  package var name: String { "symmetricEigenvalues" }
  package var residuals: Residuals { .inputs }

  package func evaluate(_ a: Tensor) throws(LinearAlgebraError) -> Tensor {
    try SymmetricEigen().evaluate([a])[0]
  }
  package func jvp(_ a: Tensor, _ w: Tensor, _ tangent: Tensor) throws(LinearAlgebraError)
    -> Tensor?
  {
    let v = try apply(SymmetricEigen(), [a])[1]
    return matmul(matmul(v, tangent, transposeA: true), v).diagonal()
  }
  package func vjp(_ a: Tensor, _ w: Tensor, _ cotangent: Tensor) throws(LinearAlgebraError)
    -> Tensor?
  {
    let v = try apply(SymmetricEigen(), [a])[1]
    return matmul(v * cotangent.expandingShape(at: -2), v, transposeB: true)
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

/// Eigenvalues in ascending order and orthonormal eigenvectors in columns: A = V diag(w) Vᵀ.
///
/// An eigenvector is determined up to its sign only: differentiate functions that do not depend on
/// the sign. Where two eigenvalues agree to within 10⁴ n ulp of the largest, the derivative of the
/// vectors is refused; above that its relative error is about ulp · largest / gap.
///
/// - Parameter a: […, n, n], symmetric; (A + Aᵀ)/2 is decomposed.
/// - Throws: `LinearAlgebraError`; also from derivative rules.
public func symmetricEigen(
  _ a: Tensor
) throws(LinearAlgebraError) -> (values: Tensor, vectors: Tensor) {
  a.requireSquare("symmetricEigen")
  let outputs = try apply(SymmetricEigen(), [symmetrized(a)])
  return (outputs[0], outputs[1])
}

/// The eigenvalues of (A + Aᵀ)/2 in ascending order.
///
/// Where eigenvalues are equal each is not differentiable by itself, but symmetric functions of
/// them are, and those come out right to first order; second order is refused there.
public func symmetricEigenvalues(_ a: Tensor) throws(LinearAlgebraError) -> Tensor {
  a.requireSquare("symmetricEigenvalues")
  return try apply(SymmetricEigenvalues(), symmetrized(a))
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
