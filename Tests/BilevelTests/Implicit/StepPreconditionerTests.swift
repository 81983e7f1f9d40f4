import Autodiff
import Bilevel
import Solvers
import Testing

/// A step that does not improve the point is refused.
@Suite("Steps from a point")
struct StepPreconditionerTests {
  @Test("A step that overshoots throws, or takes the word converged with it")
  func overshoot() throws {
    let coarse = reciprocal(NewtonCG(stopping: StoppingRule(relative: 1e-3)))
    let estimator = HypergradientEstimator<Tensor>.preconditioned(IdentityStep(step: 1e6))
    let y = Tensor([2])
    let plain = try coarse.hypergradient(at: y) { x, _ in square(x).sum() }
    #expect(plain.record.isConverged)
    let failure = #expect(throws: SolverError.self) {
      try coarse.solved { _, y in 1.0001 / y }.hypergradient(at: y, estimator: estimator) { x, _ in
        square(x).sum()
      }
    }
    guard case .unsolved(let status, of: .inner)? = failure else {
      Issue.record("\(String(describing: failure))")
      return
    }
    #expect(status.outcome == .inaccurate)
    var reporting = coarse.solved(tolerance: StoppingRule(relative: 1e-2)) { _, y in 1.0001 / y }
    reporting.onFailure = .report
    let found = try reporting.hypergradient(at: y, estimator: estimator) { x, _ in square(x).sum() }
    #expect(found.record.inner.outcome == .inaccurate)
    #expect(!found.record.isConverged)
  }

  @Test("A step that is not finite throws")
  func stepNotFinite() throws {
    struct Broken: StepPreconditioner {
      func inverse(
        for problem: InnerProblem, at x: Tensor
      ) throws(SolverError) -> LinearOperator.Product { { v throws(SolverError) in v / 0 } }
    }
    let failure = #expect(throws: SolverError.self) {
      try reciprocal().solved { _, y in 1.0000001 / y }.hypergradient(
        at: Tensor([2]), estimator: .preconditioned(Broken())
      ) { x, _ in square(x).sum() }
    }
    #expect(failure?.description.contains("not finite") == true)
  }
}
