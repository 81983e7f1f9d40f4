import Autodiff
import Solvers
import TestSupport
import Testing

@Suite("Conjugate gradients on the normal equations")
struct NormalConjugateGradientTests {
  @Test("An orthogonal matrix takes one iteration, whatever its eigenvalues")
  func orthogonal() throws {
    let matrix = orthogonalMatrix(30, seed: 9)
    let result = try NormalConjugateGradient().solution(
      opaqueOperator(matrix), randomVector(30), to: 1e-12)
    #expect(result.status.isConverged)
    #expect(result.status.iterations == 1)
  }

  @Test("The condition number may be squared, the accuracy is not")
  func accuracy() throws {
    // Condition number 1e6: the normal equations themselves would leave four digits.
    let n = 20
    let scales = exp(Tensor.linearSpace(from: 0, to: -13.8, count: n))
    let matrix = matmul(orthogonalMatrix(n, seed: 1) * scales, orthogonalMatrix(n, seed: 2))
    let b = matmul(matrix, randomVector(n, seed: 2))
    let result = try NormalConjugateGradient(maximumIterations: 2000).solution(
      opaqueOperator(matrix), b, to: 1e-13)
    #expect(result.status.isConverged)
    #expect(residualNorm(matrix, result.value, b) <= 1.1e-13 * length(b))
  }

  @Test("The reported residual is that of the system; it never grows")
  func residual() throws {
    let matrix = MatrixKind.nonsymmetric.matrix(40, .float64)
    let result = try NormalConjugateGradient().solution(opaqueOperator(matrix), randomVector(40))
    let history = result.status.history
    for (before, after) in zip(history, history.dropFirst()) {
      #expect(after <= before * (1 + 1e-12))
    }
  }

  @Test("An inconsistent system stalls at the least residual")
  func inconsistent() throws {
    let matrix = Tensor(rows: [[1, 2, 0], [0, 3, 0], [0, 0, 0]])
    let result = try NormalConjugateGradient().solution(
      opaqueOperator(matrix), Tensor([1, 2, 5]))
    #expect(result.status.outcome == .stalled)
    #expect(abs(result.status.residual - 5) <= 1e-12)
    #expect(abs(result.value[2].scalar) <= 1e-12)
  }
}
