import Autodiff
import Bilevel
import Solvers
import Testing

/// What is not known is not reported as if it were.
@Suite("Trust records")
struct TrustRecordTests {
  @Test("The record tells whether the adjoint is accurate enough for the order promised")
  func adjointSuffices() throws {
    let weights = Tensor([1, -2, 0.5, 3])
    let scales = Tensor([1, 3, 10, 30])
    func layer(_ adjoint: any LinearSolver) -> AID<Tensor, Tensor> {
      AID(
        minimizing: { x, y in
          (0.5 * scales * square(x) + 0.1 * square(square(x)) - x * exp(y)).sum()
        }, startingAt: Tensor.zeros([4]), solver: NewtonCG(stopping: StoppingRule(relative: 1e-3)),
        adjoint: adjoint)
    }
    let y = Tensor([0.1, 0.2, 0.3, 0.4])
    for (estimator, tolerance, suffices) in [
      (HypergradientEstimator<Tensor>.plain, nil, true), (.plain, 1e-1, false),
      (.preconditioned(NewtonStep()), nil, true), (.preconditioned(NewtonStep()), 1e-2, false),
    ] as [(HypergradientEstimator<Tensor>, Double?, Bool)] {
      let found = try layer(ConjugateGradient(tolerance: tolerance, maximumIterations: 3))
        .reporting.hypergradient(at: y, estimator: estimator) { x, _ in dot(weights, square(x)) }
      if tolerance != nil {
        #expect(found.record.adjointSuffices == suffices)
        #expect(found.record.description.contains("limits the accuracy") == !suffices)
      }
      let matched = try layer(ConjugateGradient()).hypergradient(at: y, estimator: estimator) {
        x, _ in dot(weights, square(x))
      }
      #expect(matched.record.adjointSuffices == true)
    }
  }

  @Test("Truncated iterations and penalties are never called converged")
  func approximations() throws {
    var truncated = ITD(
      minimizing: { (x: Tensor, y: Tensor) in (0.5 * square(x - y)).sum() },
      startingAt: Tensor([0]),
      update: .gradientDescent(step: 0.5), steps: 60, differentiating: .last(1))
    truncated.tolerance = 1e-6
    let solution = try truncated.solution(at: Tensor([2]))
    #expect(solution.status.isConverged)
    #expect(!solution.record.isConverged)
    #expect(solution.record.description.contains("only the last 1 iterations"))
    let penalty = try reciprocal().penaltyHypergradient(
      at: Tensor([2]), .valueFunction(strength: 3)
    ) { x, _ in square(x).sum() }
    #expect(!penalty.record.isConverged)
    // g at the point where it was evaluated, not the penalised value.
    #expect(penalty.value.scalar == square(penalty.inner).sum().scalar)
  }
}
