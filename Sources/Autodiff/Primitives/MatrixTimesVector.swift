/// y = op(A) x of a matrix and a vector, op = transpose where flagged.
///
/// What a product of matrices would do with a column, without the shapes around it: the linear
/// models and Hessian products of solvers are made of these.
package struct MatrixTimesVector: Primitive {
  let transposed: Bool

  package var name: String { "matmul" }
  package var residuals: Residuals { .inputs }

  package func evaluate(_ inputs: [Tensor]) -> [Tensor] {
    let (a, x) = (inputs[0], inputs[1])
    Kernels.requireSameType(a, x, name)
    Kernels.requireFloat(a, name)
    let (rows, columns) = (a.shape[0], a.shape[1])
    let (m, k) = transposed ? (columns, rows) : (rows, columns)
    return [
      Tensor(Shape([m]), a.scalarType) { out in
        LinearAlgebra.gemm(
          a.scalarType.kernelType, transposeA: transposed, transposeB: false, m: m, n: 1, k: k,
          a: a.bytes, lda: max(1, columns), b: x.bytes, ldb: 1, c: out, ldc: 1)
      }
    ]
  }

  package func jvp(_ point: Point, _ tangents: [Tensor?]) -> [Tensor?] {
    let left = tangents[0].map { apply(self, $0, point.inputs[1]) }
    let right = tangents[1].map { apply(self, point.inputs[0], $0) }
    return [left.plus(right)]
  }

  package func vjp(_ point: Point, _ cotangents: [Tensor?]) -> [Tensor?] {
    guard let ȳ = cotangents[0] else { return [nil, nil] }
    let (a, x) = (point.inputs[0], point.inputs[1])
    return [
      point.isActive(0) ? (transposed ? outer(x, ȳ) : outer(ȳ, x)) : nil,
      point.isActive(1) ? apply(MatrixTimesVector(transposed: !transposed), a, ȳ) : nil,
    ]
  }
}
