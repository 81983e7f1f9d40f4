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
      try tangents[1].plus(change.map { -$0 }).map { rhs throws(LinearAlgebraError) in
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
      try tangents[1].plus(change.map { -$0 }).map { rhs throws(LinearAlgebraError) in
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
      try tangents[1].plus(change.map { -$0 }).map { rhs throws(LinearAlgebraError) in
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
