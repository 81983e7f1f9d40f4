import Synchronization

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
final class FactorCache<Factor: Sendable>: Sendable {
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

extension Tensor {
  /// A copy of right-hand sides, each overwritten by `body` for the matrix of `a` that it meets.
  func mappingRightHandSides<E>(
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
