import Autodiff
import Bilevel
import Solvers
import TestSupport
import Testing

/// Approximate baselines are wrong by what they say.
@Suite("Baselines")
struct BaselineTests {
  private let problem = ReferenceProblem.logisticMixed

  private func layer() throws -> AID<Tensor, Tensor> {
    let inner = try #require(problem.inner as? LogisticInner)
    return AID(
      minimizing: { x, y in inner.objective(x, y) }, startingAt: Tensor.zeros([5]),
      solver: NewtonCG(stopping: StoppingRule(relative: 1e-13, absolute: 1e-15)))
  }

  @Test("The error of penalty methods falls like 1 / strength", arguments: [false, true])
  func penalty(usesGradient: Bool) throws {
    let layer = try layer()
    let exact = try problem.hypergradient()
    let strengths = [1e3, 3e3, 1e4, 3e4, 1e5]
    let slope = try logarithmicSlope(strengths) { strength in
      let baseline: PenaltyBaseline =
        usesGradient ? .gradient(strength: strength) : .valueFunction(strength: strength)
      let found = try layer.penaltyHypergradient(
        at: problem.y, baseline, errorEstimate: .newton, of: problem.loss)
      let truth = relativeError(found.gradient, exact)
      let estimate = try #require(found.record.estimatedRelativeError)
      #expect((0.9...1.1).contains(estimate / truth))
      #expect(found.record.description.contains("biased by O(1 / strength)"))
      #expect(!found.record.isConverged)
      return truth
    }
    #expect(abs(slope + 1) < 0.03, "\(slope)")
  }

  @Test("One step: the last iteration of a fixed point alone is (I)⁻¹ for F₁⁻¹")
  func oneStep() throws {
    let inner = NonSymmetricRoot(seed: 70, n: 4, m: 3)
    let (y, target) = (Tensor([0.2, -0.4, 0.3]), Tensor([1, -1, 0.5, 2]))
    let loss = { (x: Tensor, _: Tensor) throws -> Tensor in square(x - target).sum() }
    let itd = ITD<Tensor, Tensor>(
      iterating: { x, y in x - 0.3 * inner.f(x, y) }, startingAt: Tensor.zeros([4]), steps: 500,
      differentiating: .last(1))
    let oneStep = try itd.hypergradient(at: y, errorEstimate: .newton, of: loss)
    var identity = inner.fixedPointLayer(adjoint: IdentityInverse())
    identity.onFailure = .report
    let substituted = try identity.hypergradient(at: y, of: loss).gradient
    #expect(relativeError(oneStep.gradient, substituted) < 1e-12)
    // By hand: −F₂ᵀ g₁ with F = 0.3 f.
    let x = try inner.solution(y)
    let byHand = -0.3 * matmul(inner.f2(x, y), 2 * (x - target), transposeA: true)
    #expect(relativeError(oneStep.gradient, byHand) < 1e-12)
    let exact = try inner.layer().hypergradient(at: y, of: loss).gradient
    let truth = relativeError(oneStep.gradient, exact)
    let estimate = try #require(oneStep.record.estimatedRelativeError)
    #expect(truth > 0.05)
    #expect((0.9...1.1).contains(estimate / truth))
  }

  @Test("One step of Newton's method is exact at its fixed point")
  func oneNewtonStep() throws {
    let layer = ITD<Tensor, Tensor>(
      iterating: { y, x in (2 * y * y * y + x) / (3 * y * y + 1) }, startingAt: Tensor(0.5),
      steps: 12,
      differentiating: .last(1))
    let slope = try gradient(at: Tensor(1.3)) { try layer.solution(at: $0).value }
    #expect(abs(slope.scalar - cubicRootDerivatives(1.3)[1]) < 1e-14)
  }

  @Test("A substituted inverse throws by default, in both modes")
  func identityInverse() throws {
    let layer = problem.layer(adjoint: IdentityInverse(step: 0.5))
    let reverse = #expect(throws: SolverError.self) {
      try gradient(at: problem.y) { try problem.loss(try layer.solution(at: $0).value, $0) }
    }
    let forward = #expect(throws: SolverError.self) {
      try jvp(at: problem.y, along: problem.y) { try layer.solution(at: $0).value }
    }
    for failure in [reverse, forward] {
      #expect(failure?.adjointStatus?.method == "IdentityInverse (approximate)")
      #expect(failure?.adjointStatus?.isConverged == false)
    }
  }
}
