import Synchronization

/// X = op(T)⁻¹ B for triangular T, op = transpose where flagged.
///
/// With Z = op(T)⁻¹-transposed X̄: B̄ = Z, T̄ = −Z Xᵀ (or −X Zᵀ) on T's triangle.
package struct TriangularSolve: Primitive {
  package typealias Failure = LinearAlgebraError

  let isLower: Bool
  let isTransposed: Bool
  let hasUnitDiagonal: Bool

  package init(isLower: Bool, isTransposed: Bool, hasUnitDiagonal: Bool) {
    self.isLower = isLower
    self.isTransposed = isTransposed
    self.hasUnitDiagonal = hasUnitDiagonal
  }

  package var name: String { "triangularSolve" }
  package var residuals: Residuals { [.inputs, .outputs] }

  package func evaluate(_ inputs: [Tensor]) throws(LinearAlgebraError) -> [Tensor] {
    let t = inputs[0]
    return [
      try inputs[1].mappingRightHandSides(t) { b, columns, matrix throws(LinearAlgebraError) in
        let n = t.shape[t.rank - 1]
        let pivot = LinearAlgebra.triangularSolve(
          t.scalarType.kernelType, lower: isLower, transposed: isTransposed,
          unitDiagonal: hasUnitDiagonal, n: n, rightHandSides: columns,
          t: t.bytes + matrix * n * n * t.scalarType.byteCount, ldt: max(1, n),
          b: b, ldb: max(1, columns))
        if let pivot { throw .singular(pivot: pivot, matrix: matrix) }
      }
    ]
  }

  package func jvp(_ point: Point, _ tangents: [Tensor?]) throws(LinearAlgebraError) -> [Tensor?] {
    let (t, x) = (point.inputs[0], point.outputs[0])
    let change = tangents[0].map { matmul(triangle($0), x, transposeA: isTransposed) }
    return [
      try change.combined(tangents[1]).map { rhs throws(LinearAlgebraError) in
        try apply(self, t, rhs)
      }
    ]
  }

  package func vjp(_ point: Point, _ cotangents: [Tensor?]) throws(LinearAlgebraError) -> [Tensor?]
  {
    guard let x̄ = cotangents[0] else { return [nil, nil] }
    let (t, x) = (point.inputs[0], point.outputs[0])
    let adjoint = TriangularSolve(
      isLower: isLower, isTransposed: !isTransposed, hasUnitDiagonal: hasUnitDiagonal)
    let z = try apply(adjoint, t, x̄)
    guard point.isActive(0) else { return [nil, z] }
    let t̄ = isTransposed ? matmul(x, z, transposeB: true) : matmul(z, x, transposeB: true)
    return [-triangle(t̄), z]
  }

  private func triangle(_ t: Tensor) -> Tensor {
    isLower
      ? t.lowerTriangle(strictly: hasUnitDiagonal) : t.upperTriangle(strictly: hasUnitDiagonal)
  }
}

/// X = op(A)⁻¹ B for a general square A, by LU with partial pivoting.
///
/// B̄ = op(A)⁻ᵀ X̄ and Ā = −B̄ Xᵀ (or −X B̄ᵀ): the solve is differentiated, not the factorisation,
/// which all orders share.
package struct LinearSolve: Primitive {
  package typealias Failure = LinearAlgebraError

  let isTransposed: Bool
  private let factor: FactorCache<LUFactor>

  package init(isTransposed: Bool = false) {
    self.init(isTransposed: isTransposed, FactorCache())
  }

  private init(isTransposed: Bool, _ factor: FactorCache<LUFactor>) {
    self.isTransposed = isTransposed
    self.factor = factor
  }

  package var name: String { "solve" }
  package var residuals: Residuals { [.inputs, .outputs] }

  package func evaluate(_ inputs: [Tensor]) throws(LinearAlgebraError) -> [Tensor] {
    let a = inputs[0]
    let factor = try factor.value(for: a) { a throws(LinearAlgebraError) in try LUFactor(of: a) }
    return [try factor.solve(inputs[1], isTransposed: isTransposed)]
  }

  package func jvp(_ point: Point, _ tangents: [Tensor?]) throws(LinearAlgebraError) -> [Tensor?] {
    let (a, x) = (point.inputs[0], point.outputs[0])
    let change = tangents[0].map { matmul($0, x, transposeA: isTransposed) }
    return [
      try change.combined(tangents[1]).map { rhs throws(LinearAlgebraError) in
        try apply(self, a, rhs)
      }
    ]
  }

  package func vjp(_ point: Point, _ cotangents: [Tensor?]) throws(LinearAlgebraError) -> [Tensor?]
  {
    guard let x̄ = cotangents[0] else { return [nil, nil] }
    let (a, x) = (point.inputs[0], point.outputs[0])
    let b̄ = try apply(LinearSolve(isTransposed: !isTransposed, factor), a, x̄)
    guard point.isActive(0) else { return [nil, b̄] }
    let ā = isTransposed ? matmul(x, b̄, transposeB: true) : matmul(b̄, x, transposeB: true)
    return [-ā, b̄]
  }
}

/// X = A⁻¹ B for symmetric positive definite A, of which the lower triangle is read, by Cholesky.
///
/// B̄ = A⁻¹ X̄ and Ā = −sym(B̄ Xᵀ), with the one factor.
package struct PositiveDefiniteSolve: Primitive {
  package typealias Failure = LinearAlgebraError

  private let factor = FactorCache<Tensor>()

  package init() {}
  package var name: String { "solvePositiveDefinite" }
  package var residuals: Residuals { [.inputs, .outputs] }

  package func evaluate(_ inputs: [Tensor]) throws(LinearAlgebraError) -> [Tensor] {
    let l = try factor.value(for: inputs[0]) { a throws(LinearAlgebraError) in
      try Cholesky().evaluate(a)
    }
    let forward = TriangularSolve(isLower: true, isTransposed: false, hasUnitDiagonal: false)
    let backward = TriangularSolve(isLower: true, isTransposed: true, hasUnitDiagonal: false)
    return try backward.evaluate([l, forward.evaluate([l, inputs[1]])[0]])
  }

  package func jvp(_ point: Point, _ tangents: [Tensor?]) throws(LinearAlgebraError) -> [Tensor?] {
    let change = tangents[0].map { matmul($0, point.outputs[0]) }
    return [
      try change.combined(tangents[1]).map { rhs throws(LinearAlgebraError) in
        try apply(self, point.inputs[0], rhs)
      }
    ]
  }

  package func vjp(_ point: Point, _ cotangents: [Tensor?]) throws(LinearAlgebraError) -> [Tensor?]
  {
    guard let x̄ = cotangents[0] else { return [nil, nil] }
    let b̄ = try apply(self, point.inputs[0], x̄)
    guard point.isActive(0) else { return [nil, b̄] }
    return [-symmetrized(matmul(b̄, point.outputs[0], transposeB: true)), b̄]
  }
}

/// ln|det A| and the sign of det A, by LU; the sign carries no derivative.
///
/// d ln|det A| = tr(A⁻¹ dA).
package struct LogAbsoluteDeterminant: Primitive {
  package typealias Failure = LinearAlgebraError

  package init() {}
  package var name: String { "logAbsoluteDeterminant" }
  package var residuals: Residuals { .inputs }

  package func evaluate(_ inputs: [Tensor]) throws(LinearAlgebraError) -> [Tensor] {
    let factor = try LUFactor(of: inputs[0])
    let pivots = factor.lu.diagonal()
    let magnitude = log(abs(pivots)).sum(alongAxis: -1)
    return [magnitude, factor.permutationSigns * prod(sign(pivots))]
  }

  package func jvp(_ point: Point, _ tangents: [Tensor?]) throws(LinearAlgebraError) -> [Tensor?] {
    guard let tangent = tangents[0] else { return [nil, nil] }
    return [try apply(LinearSolve(), point.inputs[0], tangent).trace(), nil]
  }

  package func vjp(_ point: Point, _ cotangents: [Tensor?]) throws(LinearAlgebraError) -> [Tensor?]
  {
    guard let cotangent = cotangents[0] else { return [nil] }
    let a = point.inputs[0]
    let identity = Tensor.identity(a.shape[a.rank - 1], a.scalarType).broadcast(to: a.shape)
    let inverse = try apply(LinearSolve(isTransposed: true), a, identity)
    return [cotangent.expandingShape(at: -1).expandingShape(at: -1) * inverse]
  }

  /// The product of signs along the last axis.
  private func prod(_ signs: Tensor) -> Tensor {
    let negatives = (signs .< 0).cast(to: signs.scalarType).sum(alongAxis: -1)
    return 1 - 2 * (negatives - 2 * floor(0.5 * negatives))
  }
}

// MARK: - Factors

/// P A = L U of every matrix of a batch.
struct LUFactor: Sendable {
  let lu: Tensor
  /// Row interchanges, n per matrix.
  private let pivots: Tensor

  init(of a: Tensor) throws(LinearAlgebraError) {
    let n = a.shape[a.rank - 1]
    let pivots = Tensor([a.batchShape.elementCount * n], .int32) { _ in }
    lu = try a.mappingMatrices { pointer, n, matrix throws(LinearAlgebraError) in
      let pivot = LinearAlgebra.luFactor(
        a.scalarType.kernelType, n: n, a: pointer, lda: max(1, n),
        pivots: pivots.bytes.assumingMemoryBound(to: Int32.self) + matrix * n)
      if let pivot { throw .singular(pivot: pivot, matrix: matrix) }
    }
    if !lu.isFinite { throw .notFinite(matrix: firstNonFinite(lu)) }
    self.pivots = pivots
  }

  func solve(_ b: Tensor, isTransposed: Bool) throws(LinearAlgebraError) -> Tensor {
    let type = lu.scalarType
    return try b.mappingRightHandSides(lu) { b, columns, matrix throws(LinearAlgebraError) in
      let n = lu.shape[lu.rank - 1]
      let pivot = LinearAlgebra.luSolve(
        type.kernelType, transposed: isTransposed, n: n, rightHandSides: columns,
        lu: lu.bytes + matrix * n * n * type.byteCount, ldlu: max(1, n),
        pivots: pivots.bytes.assumingMemoryBound(to: Int32.self) + matrix * n,
        b: b, ldb: max(1, columns))
      if let pivot { throw .singular(pivot: pivot, matrix: matrix) }
    }
  }

  /// The sign of each row permutation.
  var permutationSigns: Tensor {
    let n = lu.shape[lu.rank - 1]
    let rows = pivots.elements(as: Int32.self)
    let signs = (0..<lu.batchShape.elementCount).map { matrix -> Double in
      let swaps = (0..<n).reduce(0) { $0 + (Int(rows[matrix * n + $1]) != $1 ? 1 : 0) }
      return swaps % 2 == 0 ? 1 : -1
    }
    return Tensor(signs, shape: lu.batchShape).cast(to: lu.scalarType)
  }
}

/// The first matrix of a batch that has an element which is not finite.
private func firstNonFinite(_ a: Tensor) -> Int {
  let size = a.shape[a.rank - 1] * a.shape[a.rank - 2]
  return (a.scalars.firstIndex { !$0.isFinite } ?? 0) / Swift.max(1, size)
}

/// The factor of the matrix seen last, recognised by its storage, which it keeps alive.
///
/// Derivative rules of a solve call the same solve again; the cache is shared by those calls, so
/// that a matrix is factorised once for all orders.
private final class FactorCache<Factor: Sendable>: Sendable {
  private let last = Mutex<(matrix: Tensor, factor: Factor)?>(nil)

  func value(
    for a: Tensor, _ factorize: (Tensor) throws(LinearAlgebraError) -> Factor
  ) throws(LinearAlgebraError) -> Factor {
    let cached = last.withLock { last -> Factor? in
      guard let last, last.matrix.storage === a.storage, last.matrix.shape == a.shape else {
        return nil
      }
      return last.factor
    }
    if let cached { return cached }
    let factor = try factorize(a)
    last.withLock { $0 = (a, factor) }
    return factor
  }
}

// MARK: - Public functions

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

/// ln|det A| and the sign of det A for matrices on the last two axes.
///
/// - Throws: `LinearAlgebraError.singular`.
public func logAbsoluteDeterminant(
  _ a: Tensor
) throws(LinearAlgebraError) -> (logarithm: Tensor, sign: Tensor) {
  a.requireSquare("logAbsoluteDeterminant")
  let outputs = try apply(LogAbsoluteDeterminant(), [a])
  return (outputs[0], outputs[1])
}

/// ln det A for a symmetric positive definite A, from its Cholesky factor.
///
/// - Throws: `LinearAlgebraError.notPositiveDefinite`.
public func logDeterminantPositiveDefinite(_ a: Tensor) throws(LinearAlgebraError) -> Tensor {
  2 * log(try cholesky(a).diagonal()).sum(alongAxis: -1)
}

private func solved<P: Primitive>(
  _ primitive: P, _ a: Tensor, _ b: Tensor
) throws(P.Failure) -> Tensor {
  a.requireSquare(primitive.name)
  Kernels.requireSameType(a, b, primitive.name)
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

extension Tensor {
  /// A copy of right-hand sides, each overwritten by `body` for the matrix of `a` that it meets.
  fileprivate func mappingRightHandSides<E>(
    _ a: Tensor, _ body: (UnsafeMutableRawPointer, _ columns: Int, _ matrix: Int) throws(E) -> Void
  ) throws(E) -> Tensor {
    let (n, columns) = (shape[rank - 2], shape[rank - 1])
    let result = Tensor(shape, scalarType) {
      $0.copyMemory(from: bytes, byteCount: elementCount * scalarType.byteCount)
    }
    for matrix in 0..<batchShape.elementCount {
      try body(result.bytes + matrix * n * columns * scalarType.byteCount, columns, matrix)
    }
    return result
  }
}

extension Optional where Wrapped == Tensor {
  /// Ḃ − (op(A))˙ X, with nil for zero.
  fileprivate func combined(_ rightHandSide: Tensor?) -> Tensor? {
    guard let change = self else { return rightHandSide }
    return rightHandSide.map { $0 - change } ?? -change
  }
}
