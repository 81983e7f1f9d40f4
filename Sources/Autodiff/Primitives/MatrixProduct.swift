import CTensorKernels

/// C = op(A) op(B) on the last two axes, op = transpose where flagged; leading axes broadcast.
///
/// The flags let every rule be another product: no transpose is ever materialised.
package struct MatrixProduct: Primitive {
  let transposeA: Bool
  let transposeB: Bool

  package init(transposeA: Bool = false, transposeB: Bool = false) {
    self.transposeA = transposeA
    self.transposeB = transposeB
  }

  package var name: String { "matmul" }
  package var residuals: Residuals { .inputs }

  package func evaluate(_ inputs: [Tensor]) -> [Tensor] {
    let (a, b) = (inputs[0], inputs[1])
    Kernels.requireSameType(a, b, name)
    Kernels.requireFloat(a, name)
    let (m, k) = a.matrixExtents(transposed: transposeA)
    let (kB, n) = b.matrixExtents(transposed: transposeB)
    guard k == kB, let batch = a.batchShape.broadcast(with: b.batchShape) else {
      stop(name, mismatch(a, b, k, kB))
    }
    let product = MatrixLoop(transposeA, transposeB, m, n, k, a, b)
    return [
      Tensor(Shape(Array(batch) + [m, n]), a.scalarType) { product.run(batch: batch, into: $0) }
    ]
  }

  package func jvp(_ point: Point, _ tangents: [Tensor?]) -> [Tensor?] {
    let left = tangents[0].map { apply(self, $0, point.inputs[1]) }
    let right = tangents[1].map { apply(self, point.inputs[0], $0) }
    return [left.plus(right)]
  }

  package func vjp(_ point: Point, _ cotangents: [Tensor?]) -> [Tensor?] {
    guard let c = cotangents[0] else { return [nil, nil] }
    let (a, b) = (point.inputs[0], point.inputs[1])
    var results: [Tensor?] = [nil, nil]
    if point.isActive(0) {
      let ā =
        transposeA
        ? apply(MatrixProduct(transposeA: transposeB, transposeB: true), b, c)
        : apply(MatrixProduct(transposeA: false, transposeB: !transposeB), c, b)
      results[0] = ā.summed(to: a.shape)
    }
    if point.isActive(1), b.rank == 2, a.rank > 2, !transposeA {
      // One tall product; a batch of products would be as large as the batch times b.
      func rows(_ x: Tensor) -> Tensor {
        x.reshaped(to: Shape([x.shape.dropLast().reduce(1, *), x.shape[x.rank - 1]]))
      }
      results[1] =
        transposeB
        ? apply(MatrixProduct(transposeA: true), rows(c), rows(a))
        : apply(MatrixProduct(transposeA: true), rows(a), rows(c))
    } else if point.isActive(1) {
      let b̄ =
        transposeB
        ? apply(MatrixProduct(transposeA: true, transposeB: transposeA), c, a)
        : apply(MatrixProduct(transposeA: !transposeA, transposeB: false), a, c)
      results[1] = b̄.summed(to: b.shape)
    }
    return results
  }

  private func mismatch(_ a: Tensor, _ b: Tensor, _ k: Int, _ kB: Int) -> String {
    func text(_ x: Tensor, _ isTransposed: Bool) -> String {
      "\(x.shape)" + (isTransposed ? " transposed" : "")
    }
    let shapes = "\(text(a, transposeA)) and \(text(b, transposeB))"
    guard k != kB else { return "the leading axes of \(shapes) do not broadcast" }
    let (_, n) = b.matrixExtents(transposed: transposeB)
    let (m, _) = a.matrixExtents(transposed: transposeA)
    let hint =
      k == n
      ? "; transposeB: \(!transposeB) would fit"
      : m == kB ? "; transposeA: \(!transposeA) would fit" : ""
    return "the inner sizes of \(shapes) differ: \(k) and \(kB)\(hint)"
  }
}

/// The batched call of the matrix product.
private struct MatrixLoop {
  let transposeA: Bool
  let transposeB: Bool
  let (m, n, k): (Int, Int, Int)
  let (a, b): (Tensor, Tensor)

  init(
    _ transposeA: Bool, _ transposeB: Bool, _ m: Int, _ n: Int, _ k: Int, _ a: Tensor, _ b: Tensor
  ) {
    (self.transposeA, self.transposeB) = (transposeA, transposeB)
    (self.m, self.n, self.k) = (m, n, k)
    (self.a, self.b) = (a, b)
  }

  func run(batch: Shape, into out: UnsafeMutableRawPointer) {
    // A stack of left matrices against one right matrix is one tall product.
    if !transposeA, b.rank == 2 {
      return multiply(rows: batch.elementCount * m, 0, 0, out)
    }
    let aBatch = a.batchShape
    let bBatch = b.batchShape
    let size = a.scalarType.byteCount
    var index = Extents(repeating: 0)
    for item in 0..<batch.elementCount {
      multiply(
        rows: m, Self.offset(index, aBatch, batch) * m * k,
        Self.offset(index, bBatch, batch) * k * n,
        out + item * m * n * size)
      for axis in stride(from: batch.rank - 1, through: 0, by: -1) {
        index[axis] += 1
        if index[axis] < batch[axis] { break }
        index[axis] = 0
      }
    }
  }

  /// Which matrix of an operand belongs to a batch index.
  private static func offset(_ index: Extents, _ operand: Shape, _ batch: Shape) -> Int {
    let strides = operand.strides
    let shift = batch.rank - operand.rank
    var offset = 0
    for axis in 0..<operand.rank where operand[axis] != 1 {
      offset += index[axis + shift] * strides[axis]
    }
    return offset
  }

  private func multiply(rows: Int, _ aOffset: Int, _ bOffset: Int, _ out: UnsafeMutableRawPointer) {
    let size = a.scalarType.byteCount
    LinearAlgebra.gemm(
      a.scalarType.kernelType, transposeA: transposeA, transposeB: transposeB, m: rows, n: n, k: k,
      a: a.bytes + aOffset * size, lda: max(1, transposeA ? m : k),
      b: b.bytes + bOffset * size, ldb: max(1, transposeB ? k : n), c: out, ldc: max(1, n))
  }
}

extension Tensor {
  /// All axes but the last two.
  var batchShape: Shape { Shape(shape.prefix(Swift.max(0, rank - 2))) }

  fileprivate func matrixExtents(transposed: Bool) -> (rows: Int, columns: Int) {
    let (rows, columns) = (shape[rank - 2], shape[rank - 1])
    return transposed ? (columns, rows) : (rows, columns)
  }
}

/// The matrix product op(a) · op(b) on the last two axes; leading axes broadcast.
///
/// A one-axis left operand is a row, a one-axis right operand a column, and their unit axes are
/// dropped.
///
/// - Parameters:
///   - a: […, m, k], or […, k, m] when transposed.
///   - b: […, k, n], or […, n, k] when transposed.
///   - transposeA: Whether op(a) is the transpose.
///   - transposeB: Whether op(b) is the transpose.
/// - Returns: […, m, n].
/// - Precondition: Equal floating-point types and equal inner sizes.
public func matmul(
  _ a: Tensor, _ b: Tensor, transposeA: Bool = false, transposeB: Bool = false
) -> Tensor {
  guard a.rank >= 1, b.rank >= 1 else {
    stop("matmul", "expected vectors or matrices, found shapes \(a.shape) and \(b.shape)")
  }
  if a.scalarType != b.scalarType {
    let (a, b) = Tensor.unified(a, b, "matmul")
    return matmul(a, b, transposeA: transposeA, transposeB: transposeB)
  }
  if a.rank == 2, b.rank == 1, a.shape[transposeA ? 0 : 1] == b.shape[0] {
    return apply(MatrixTimesVector(transposed: transposeA), a, b)
  }
  if a.rank == 1, b.rank == 2, b.shape[transposeB ? 1 : 0] == a.shape[0] {
    return apply(MatrixTimesVector(transposed: !transposeB), b, a)
  }
  let left = a.rank == 1 ? a.expandingShape(at: 0) : a
  let right = b.rank == 1 ? b.expandingShape(at: 1) : b
  var product = apply(
    MatrixProduct(
      transposeA: transposeA && a.rank > 1, transposeB: transposeB && b.rank > 1),
    left, right)
  if a.rank == 1 { product = product.squeezingShape(at: -2) }
  if b.rank == 1 { product = product.squeezingShape(at: -1) }
  return product
}

/// Σ aᵢ bᵢ of two vectors of one length.
public func dot(_ a: Tensor, _ b: Tensor) -> Tensor {
  guard a.rank == 1, a.shape == b.shape else {
    stop("dot", "expected two vectors of one length, found shapes \(a.shape) and \(b.shape)")
  }
  return matmul(a, b)
}

/// aᵢ bⱼ of two vectors: a matrix.
public func outer(_ a: Tensor, _ b: Tensor) -> Tensor {
  guard a.rank == 1, b.rank == 1 else {
    stop("outer", "expected two vectors, found shapes \(a.shape) and \(b.shape)")
  }
  return a.expandingShape(at: 1) * b.expandingShape(at: 0)
}
