import Autodiff
import Solvers
import TestSupport
import Testing

@Suite("MINRES")
struct MINRESTests {
  @Test("The residual never grows, and is the least of the Krylov space")
  func leastResidual() throws {
    let matrix = MatrixKind.indefinite.matrix(40, .float64)
    let b = randomVector(40)
    let result = try MINRES().solution(opaqueOperator(matrix), b)
    let history = result.status.history
    for (before, after) in zip(history, history.dropFirst()) {
      #expect(after <= before * (1 + 1e-12))
    }
    // GMRES minimises over the same space by other means; the Lanczos vectors are orthogonal to
    // that accuracy only for a while.
    let other = try GMRES().solution(opaqueOperator(matrix), b)
    for (mine, theirs) in zip(history, other.status.history).prefix(20) {
      #expect(abs(mine - theirs) <= 1e-6 * theirs + 1e-12)
    }
  }

  @Test("n iterations solve an indefinite n × n system")
  func finiteTermination() throws {
    let matrix = MatrixKind.indefinite.matrix(10, .float64)
    let expected = randomVector(10, seed: 2)
    let result = try MINRES(maximumIterations: 10).solution(
      opaqueOperator(matrix), matmul(matrix, expected), to: 1e-14)
    #expect(relativeError(result.value, expected) <= 1e-12)
  }

  @Test("A singular system is solved where it can be, and stalls at the least residual elsewhere")
  func singular() throws {
    let n = 30
    let eigenvalues = Tensor((0..<n).map { $0 < 3 ? 0 : Double($0) - 15.5 })
    let matrix = symmetricMatrix(eigenvalues)
    let inRange = matmul(matrix, randomVector(n, seed: 2))
    let consistent = try MINRES().solution(opaqueOperator(matrix), inRange)
    #expect(consistent.status.isConverged)

    let b = randomVector(n)
    let vectors = orthogonalMatrix(n, seed: 5)
    let nullPart = matmul(vectors[0..<n, 0..<3], b, transposeA: true)
    let inconsistent = try MINRES().solution(opaqueOperator(matrix), b)
    #expect(inconsistent.status.outcome == .stalled)
    #expect(abs(inconsistent.status.residual - length(nullPart)) <= 1e-8 * length(b))
  }
}
