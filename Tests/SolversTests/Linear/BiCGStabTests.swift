import Autodiff
import Solvers
import TestSupport
import Testing

@Suite("BiCGStab")
struct BiCGStabTests {
  @Test("A breakdown in the first iteration is overcome by another shadow residual")
  func breakdown() throws {
    // (r̂, A p) = 0 at once for r̂ = p = e₁.
    let matrix = Tensor(rows: [[0, 1, 0], [1, 0, 0], [0, 0, 2]])
    let result = try BiCGStab(maximumIterations: 50).solution(
      opaqueOperator(matrix), Tensor([1, 0, 0]))
    #expect(result.status.isConverged)
    #expect(relativeError(result.value, Tensor([0, 1, 0])) <= 1e-10)
  }

  @Test("A matrix with imaginary eigenvalues only stalls, and says so")
  func skewSymmetric() throws {
    let matrix = Tensor(rows: [[0, 1, 0, 0], [-1, 0, 0, 0], [0, 0, 0, 2], [0, 0, -2, 0]])
    let result = try BiCGStab().solution(opaqueOperator(matrix), Tensor([1, 2, 3, 4]))
    #expect(!result.status.isConverged)
    let residual = residualNorm(matrix, result.value, Tensor([1, 2, 3, 4]))
    #expect(abs(residual - result.status.residual) <= 1e-12)
  }

  @Test("Two products per iteration, one more to confirm")
  func cost() throws {
    let a = opaqueOperator(MatrixKind.nonsymmetric.matrix(50, .float64))
    let result = try BiCGStab().solution(a, randomVector(50))
    #expect(result.status.evaluations == 2 * result.status.iterations + 1)
  }
}
