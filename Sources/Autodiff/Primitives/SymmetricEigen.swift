/// w, V with A = V diag(w) Vᵀ for symmetric A, of which the lower triangle is read.
///
/// With M = Vᵀ Ȧ V and Fᵢⱼ = 1 / (wⱼ − wᵢ) off the diagonal: ẇ = diag M, V̇ = V (F ∘ M), and
/// Ā = sym(V (diag w̄ + F ∘ (Vᵀ V̄)) Vᵀ) (M. Giles 2008, §3.1).
///
/// Where wᵢ = wⱼ the two vectors are any basis of their space, and only functions that do not depend
/// on the choice have a derivative. In the VJP such a function shows: K = Vᵀ V̄ is symmetric in i
/// and j, so that the pair contributes nothing, and w̄ᵢ = w̄ⱼ (else it is a function of the
/// eigenvalues too, whose share is the limit of a quotient 0 / 0 that is not known here). Both could
/// hold by accident for a basis of unit vectors, so a basis of no special position is taken. A JVP
/// cannot know what its tangent will be used for, and is refused.
package struct SymmetricEigen: Primitive {
  package typealias Failure = LinearAlgebraError

  /// Whether to choose a basis of no special position for equal eigenvalues, and to accept
  /// cotangents that do not depend on the choice.
  let sharesSpaces: Bool

  package init(sharesSpaces: Bool = false) { self.sharesSpaces = sharesSpaces }
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
    guard sharesSpaces else { return [values, vectors] }
    // Only where the choice of the basis costs no accuracy; what is equal by definition but not by
    // rounding has vectors of its own.
    return [values, EqualEigenvalues(values, resolution: 8).turned(vectors)]
  }

  package func jvp(_ point: Point, _ tangents: [Tensor?]) throws(LinearAlgebraError) -> [Tensor?] {
    guard let tangent = tangents[0] else { return [nil, nil] }
    let (w, v) = (point.outputs[0], point.outputs[1])
    if let pair = EqualEigenvalues(w).first { throw pair }
    let m = matmul(matmul(v, tangent, transposeA: true), v)
    return [
      m.diagonal(),
      matmul(v, m * inverseGaps(w, apart: Tensor.identity(w.shape[w.rank - 1], w.scalarType))),
    ]
  }

  package func vjp(_ point: Point, _ cotangents: [Tensor?]) throws(LinearAlgebraError) -> [Tensor?]
  {
    let (w, v) = (point.outputs[0], point.outputs[1])
    var inner = cotangents[0]?.embeddedDiagonal()
    if let v̄ = cotangents[1] {
      let k = matmul(v, v̄, transposeA: true)
      let equal = EqualEigenvalues(w)
      if let pair = sharesSpaces ? equal.firstDependence(k, cotangents[0]) : equal.first {
        throw pair
      }
      inner = inner.plus(k * inverseGaps(w, apart: equal.mask))
    }
    return [inner.map { symmetrized(matmul(matmul(v, $0), v, transposeB: true)) }]
  }

  /// F, with 0 for the pairs of a mask of ones and zeros, the diagonal among them.
  private func inverseGaps(_ w: Tensor, apart mask: Tensor) -> Tensor {
    let gaps = w.expandingShape(at: -2) - w.expandingShape(at: -1)
    return (1 / (gaps + mask)) * (1 - mask)
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

/// Eigenvalues in ascending order and orthonormal eigenvectors in columns: A = V diag(w) Vᵀ.
///
/// An eigenvector is determined up to its sign only: differentiate functions that do not depend on
/// the sign. Eigenvalues that agree to within 10⁴ n ulp of the largest count as equal; above that
/// the relative error of the derivative is about ulp · largest / gap. Vectors of equal eigenvalues
/// are any basis of their space. Reverse mode gives the first derivative of functions of other
/// vectors and of the space alone, such as the projector V Vᵀ of its columns, and refuses functions
/// of the single vectors; forward mode, which a second derivative by `hvp` contains, and functions
/// of these vectors and their eigenvalues are refused.
///
/// - Parameter a: […, n, n], symmetric; (A + Aᵀ)/2 is decomposed.
/// - Throws: `LinearAlgebraError`; also from derivative rules.
public func symmetricEigen(
  _ a: Tensor
) throws(LinearAlgebraError) -> (values: Tensor, vectors: Tensor) {
  a.requireSquare("symmetricEigen")
  let outputs = try apply(SymmetricEigen(sharesSpaces: a.isTraced), [symmetrized(a)])
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

/// The eigenvalues of a symmetric matrix above a fraction of the largest, in rising order, with their
/// vectors as columns; none where no eigenvalue is positive.
package func leadingEigen(
  _ a: Tensor, above fraction: Double
) throws(LinearAlgebraError) -> (values: Tensor, vectors: Tensor) {
  let (values, vectors) = try symmetricEigen(a)
  let elements = values.scalars
  let limit = fraction * Swift.max(0, elements.last ?? 0)
  let kept = (elements.firstIndex { $0 > limit } ?? elements.count)..<elements.count
  return (values[kept], vectors.slice(kept, alongAxis: 1))
}
