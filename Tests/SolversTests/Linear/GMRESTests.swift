import Autodiff
import Solvers
import TestSupport
import Testing

@Suite("GMRES")
struct GMRESTests {
  @Test("n iterations solve an n × n system that is far from normal")
  func finiteTermination() throws {
    let matrix = (Tensor.identity(12) + 2 * Tensor.ones([12, 12]).upperTriangle(strictly: true))
    let expected = randomVector(12, seed: 2)
    let result = try GMRES(maximumIterations: 12).solution(
      opaqueOperator(matrix), matmul(matrix, expected), to: 1e-13)
    #expect(result.status.isConverged)
    #expect(result.status.iterations <= 12)
  }

  /// The cyclic shift, on which nothing happens before the last iteration.
  private static func shift(_ n: Int) -> Tensor {
    Tensor(rows: (0..<n).map { i in (0..<n).map { j in j == (i + 1) % n ? 1 : 0 } })
  }

  @Test("A restart too early stagnates and says so; without one the system is solved")
  func restartTooEarly() throws {
    let a = opaqueOperator(Self.shift(10))
    let b = Tensor([1, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    let early = try GMRES(restart: 5).solution(a, b)
    #expect(early.status.outcome == .stalled)
    let full = try GMRES(restart: 10).solution(a, b)
    #expect(full.status.isConverged)
    #expect(full.status.iterations == 10)
  }

  @Test("A cycle without any progress at all stalls")
  func noProgress() throws {
    let b = Tensor.concatenated([Tensor.ones([1]), .zeros([29])])
    let status = try GMRES(restart: 10).solution(opaqueOperator(Self.shift(30)), b).status
    #expect(status.outcome == .stalled)
    #expect(status.residual == 1)
    #expect(status.iterations <= 20)
  }

  @Test("A singular system stalls, one that is consistent is solved")
  func singular() throws {
    let nilpotent = Tensor(rows: [[0, 1, 0], [0, 0, 1], [0, 0, 0]])
    let unsolvable = try GMRES().solution(opaqueOperator(nilpotent), Tensor([0, 0, 1]))
    #expect(unsolvable.status.outcome == .stalled)
    let projection = Tensor(rows: [[2, 0, 0], [0, 3, 0], [0, 0, 0]])
    let solvable = try GMRES().solution(opaqueOperator(projection), Tensor([2, 3, 0]))
    #expect(solvable.status.isConverged)
    #expect(relativeError(solvable.value, Tensor([1, 1, 0])) <= 1e-14)
  }

  @Test("A condition number of 1e10 takes no more than n iterations to a residual of 1e-12")
  func illConditioned() throws {
    // Singular values from 1 to 1e-10, eigenvalues not real.
    let n = 60
    let scales = exp(Tensor.linearSpace(from: 0, to: -23, count: n))
    let matrix = matmul(orthogonalMatrix(n, seed: 1) * scales, orthogonalMatrix(n, seed: 2))
    let expected = randomVector(n, seed: 2)
    let b = matmul(matrix, expected)
    let result = try GMRES(maximumIterations: n).solution(opaqueOperator(matrix), b, to: 1e-12)
    #expect(result.status.isConverged)
  }
}
