/// X with op(T) X = B for triangular T.
///
/// - Parameters:
///   - t: […, n, n]; only the named triangle is read.
///   - b: […, n, k].
///   - lower: Whether T is lower triangular.
///   - transposed: Whether op(T) is the transpose.
///   - unitDiagonal: Whether the diagonal counts as ones and is not read.
/// - Throws: `LinearAlgebraError.singular` for an exactly zero diagonal element.
public func triangularSolve(
  _ t: Tensor, _ b: Tensor, lower: Bool = true, transposed: Bool = false,
  unitDiagonal: Bool = false
) throws(LinearAlgebraError) -> Tensor {
  let primitive = TriangularSolve(
    isLower: lower, isTransposed: transposed, hasUnitDiagonal: unitDiagonal)
  return try solved(primitive, t, b)
}

/// X with A X = B.
///
/// - Parameters:
///   - a: […, n, n].
///   - b: […, n, k], or one axis of n.
/// - Throws: `LinearAlgebraError.singular`.
public func solve(_ a: Tensor, _ b: Tensor) throws(LinearAlgebraError) -> Tensor {
  try solved(LinearSolve(), a, b)
}

/// X with A X = B for symmetric positive definite A; (A + Aᵀ)/2 is used.
///
/// - Parameters:
///   - a: […, n, n].
///   - b: […, n, k], or one axis of n.
/// - Throws: `LinearAlgebraError.notPositiveDefinite`.
public func solvePositiveDefinite(_ a: Tensor, _ b: Tensor) throws(LinearAlgebraError) -> Tensor {
  a.requireSquare("solvePositiveDefinite")
  return try solved(PositiveDefiniteSolve(), symmetrized(a), b)
}

private func solved<P: Primitive>(
  _ primitive: P, _ a: Tensor, _ b: Tensor
) throws(P.Failure) -> Tensor {
  a.requireSquare(primitive.name)
  let (a, b) = a.scalarType == b.scalarType ? (a, b) : Tensor.unified(a, b, primitive.name)
  let isVector = b.rank == 1
  let columns = isVector ? b.expandingShape(at: 1) : b
  guard columns.rank >= 2, columns.shape[columns.rank - 2] == a.shape[a.rank - 1],
    let batch = a.batchShape.broadcast(with: columns.batchShape)
  else {
    stop(
      primitive.name,
      "a right-hand side of shape \(b.shape) does not fit matrices of shape \(a.shape)")
  }
  let x = try apply(
    primitive,
    a.broadcast(to: Shape(Array(batch) + Array(a.shape.suffix(2)))),
    columns.broadcast(to: Shape(Array(batch) + Array(columns.shape.suffix(2)))))
  return isVector ? x.squeezingShape(at: -1) : x
}
