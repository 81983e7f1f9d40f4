import Autodiff
import Solvers
import TestSupport
import Testing

@Suite("Nyström-preconditioned conjugate gradients")
struct NystromPreconditionerTests {
  /// Eigenvalues 1e4 / k³ + 1e-2.
  private static func decaying(_ n: Int, ridge: Double) -> Tensor {
    symmetricMatrix(Tensor((1...n).map { 1e4 / Double($0 * $0 * $0) + ridge }))
  }

  @Test("A decaying spectrum takes fewer iterations, with the same limit")
  func fewerIterations() throws {
    let n = 200
    let matrix = Self.decaying(n, ridge: 1e-2)
    let b = randomVector(n)
    let plain = try ConjugateGradient().solution(opaqueOperator(matrix), b, to: 1e-9)
    var last = plain.status.iterations
    for rank in [10, 40, 100] {
      let solver = ConjugateGradient(
        preconditioner: NystromPreconditioner(rank: rank, damping: 1e-2))
      let result = try solver.solution(opaqueOperator(matrix), b, to: 1e-9)
      #expect(result.status.isConverged)
      #expect(result.status.iterations < last)
      #expect(relativeError(result.value, plain.value) <= 1e-6)
      last = result.status.iterations
    }
    #expect(4 * last < plain.status.iterations)
  }

  @Test("Without a known damping it helps as well", arguments: [ScalarType.float64, .float32])
  func undamped(_ type: ScalarType) throws {
    let matrix = Self.decaying(100, ridge: 1).cast(to: type)
    let b = randomVector(100, type)
    let plain = try ConjugateGradient().solution(opaqueOperator(matrix), b, to: 1e-4)
    let result = try ConjugateGradient(preconditioner: NystromPreconditioner(rank: 30)).solution(
      opaqueOperator(matrix), b, to: 1e-4)
    #expect(result.status.isConverged)
    #expect(2 * result.status.iterations < plain.status.iterations)
  }

  @Test("The sketch is made once per operator")
  func sketchOnce() throws {
    let a = opaqueOperator(Self.decaying(50, ridge: 1))
    let b = randomVector(50)
    let solver = ConjugateGradient(
      preconditioner: NystromPreconditioner(rank: 8, damping: 1, seed: 3))
    let first = try solver.solution(a, b)
    let second = try solver.solution(a, b)
    #expect(first.status.evaluations == second.status.evaluations + 8 + 2)
    #expect(first.value.isBitwiseEqual(to: second.value))
  }

  @Test("A rank of the whole matrix is its inverse", arguments: [12, 30])
  func fullRank(_ rank: Int) throws {
    let matrix = symmetricMatrix(.linearSpace(from: 1, to: 1000, count: 12))
    let result = try ConjugateGradient(preconditioner: NystromPreconditioner(rank: rank)).solution(
      opaqueOperator(matrix), randomVector(12), to: 1e-10)
    #expect(result.status.isConverged)
    #expect(result.status.iterations <= 2)
  }

  @Test("An operator that is not definite is reported as such")
  func indefinite() throws {
    let result = try ConjugateGradient(preconditioner: NystromPreconditioner(rank: 4)).solution(
      opaqueOperator(MatrixKind.indefinite.matrix(20, .float64)), randomVector(20))
    guard case .indefinite = result.status.outcome else {
      Issue.record("expected indefiniteness, found \(result.status)")
      return
    }
    let zero = try ConjugateGradient(preconditioner: NystromPreconditioner(rank: 4)).solution(
      opaqueOperator(.zeros([20, 20])), randomVector(20))
    #expect(zero.status.isConverged == false)
  }
}
