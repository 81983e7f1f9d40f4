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

// MARK: - Public functions

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
