import Autodiff
import Bilevel
import Solvers
import TestSupport
import Testing

@Suite("The identity for the inverse")
struct IdentityInverseTests {
  private let problem: ConditionedQuadratic
  init() throws { problem = try ConditionedQuadratic() }

  @Test("The identity for the inverse throws, and reported, says by how much it is off")
  func identityInverse() throws {
    var layer = problem.layer(adjoint: IdentityInverse())
    try problem.expectAdjoint(layer, .inaccurate, "IdentityInverse (approximate)")
    layer.onFailure = .report
    let found = try layer.hypergradient(at: problem.y, errorEstimate: .newton, of: problem.loss)
    #expect(!found.record.isConverged)
    try problem.expectHonest(found)
    let x = try solve(problem.h, matmul(problem.c, problem.y) + problem.k)
    let expected = matmul(problem.c, x - problem.target, transposeA: true) + 0.1 * problem.y
    #expect(relativeError(found.gradient, expected) < 1e-12)
  }
}
