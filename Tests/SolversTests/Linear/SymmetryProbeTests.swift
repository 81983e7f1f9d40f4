import Autodiff
import Solvers
import TestSupport
import Testing

@Suite("Refusal of operators that are not symmetric")
struct SymmetryProbeTests {
  private static let solvers: [any LinearSolver] = [
    ConjugateGradient(), MINRES(),
    ConjugateGradient(preconditioner: NystromPreconditioner(rank: 3)), DenseCholesky(),
  ]

  @Test("An asymmetric operator is refused", arguments: [10, 300], [ScalarType.float64, .float32])
  func refusal(_ n: Int, _ type: ScalarType) throws {
    for solver in Self.solvers {
      let a = opaqueOperator(MatrixKind.nonsymmetric.matrix(n, type))
      let result = try solver.solution(a, randomVector(n, type))
      guard case .notSymmetric(let asymmetry) = result.status.outcome else {
        Issue.record("expected a refusal, found \(result.status)")
        continue
      }
      #expect(result.status.isRefusal)
      // ‖A − Aᵀ‖ / ‖A‖ is 0.45: the estimate has its size in every dimension.
      #expect(asymmetry > 0.01 && asymmetry < 1.5)
      #expect(result.status.iterations == 0)
      #expect(length(result.value) == 0)
    }
  }

  @Test("A slight asymmetry is found, rounding is not taken for one")
  func threshold() throws {
    let n = 60
    let symmetric = MatrixKind.definite.matrix(n, .float64)
    var generator = PhiloxGenerator(seed: 8)
    let perturbation = Tensor.normal([n, n], using: &generator)
    let cg = ConjugateGradient()
    let b = randomVector(n)
    let slight = try cg.solution(opaqueOperator(symmetric + 1e-5 * perturbation), b)
    #expect(slight.status.isRefusal)
    let rounding = try cg.solution(opaqueOperator(symmetric + 1e-14 * perturbation), b)
    #expect(rounding.status.isConverged)
  }

  @Test("The probe costs two products, once per operator")
  func cost() throws {
    let a = opaqueOperator(MatrixKind.definite.matrix(20, .float64))
    let b = randomVector(20)
    let first = try ConjugateGradient().solution(a, b)
    let second = try ConjugateGradient().solution(a, b)
    #expect(first.status.evaluations == second.status.evaluations + 2)
    let other = try MINRES().solution(a, b)
    #expect(other.status.evaluations == other.status.iterations + 1)
    // One product per iteration, and one to confirm the residual.
    #expect(second.status.evaluations == second.status.iterations + 1)
    #expect(a.productCount == 2 + 2 * second.status.evaluations + other.status.evaluations)
  }
}
