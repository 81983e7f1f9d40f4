import Autodiff
import Bilevel
import Solvers
import Testing

/// An estimate is honest, or absent with a reason.
@Suite("Error estimates of hypergradients")
struct AIDErrorEstimateTests {
  @Test("A failing error estimate leaves the hypergradient standing")
  func failingEstimate() throws {
    struct OutOfDomain: Error {}
    var calls = 0
    let found = try reciprocal().hypergradient(at: Tensor([2]), errorEstimate: .newton) { x, _ in
      calls += 1
      if calls > 1 { throw OutOfDomain() }
      return square(x).sum()
    }
    // d(1/y²)/dy at 2.
    #expect(abs(found.gradient.scalars[0] + 0.25) < 1e-9)
    #expect(found.record.estimatedRelativeError == nil)
    #expect(found.record.description.contains("no error estimate: OutOfDomain"))
  }

  @Test(
    "The error estimate is honest for estimators of the second order too", arguments: [0, 1, 2])
  func secondOrderEstimate(which: Int) throws {
    // x* = arsinh-like root of x + x³ − y in each coordinate, started off by 1 %.
    let layer = AID(
      minimizing: { (x: Tensor, y: Tensor) in
        (0.5 * square(x) + 0.25 * square(square(x)) - x * y).sum()
      }, startingAt: Tensor.zeros([3]),
      solver: NewtonCG(stopping: StoppingRule(relative: 1e-14)), adjoint: DenseLU())
    let y = Tensor([0.7, 1.5, -2])
    let loss = { (x: Tensor, _: Tensor) throws -> Tensor in exp(x).sum() }
    let solution = try layer.solution(at: y).value
    let exact = try layer.hypergradient(at: y, of: loss).gradient
    let estimators: [HypergradientEstimator<Tensor>] = [
      .preconditioned(NewtonStep()), .preconditioned(ConjugateGradientStep(iterations: 3)),
      .linearized,
    ]
    let found = try layer.hypergradient(
      at: y, evaluatedAt: solution * 1.03, estimator: estimators[which], errorEstimate: .newton,
      of: loss)
    let truth = (found.gradient - exact).norm().scalar / exact.norm().scalar
    let estimate = try #require(found.record.estimatedRelativeError)
    #expect(truth > 1e-6)
    #expect((0.5...2).contains(estimate / truth), "\(estimate) for \(truth)")
  }

  @Test("Where the better estimate fails there is no error estimate, and a reason")
  func noEstimate() throws {
    // ¼ x⁴ − y x has no curvature at 0, where this solver stops.
    var layer = AID(
      minimizing: { (x: Tensor, y: Tensor) in (0.25 * square(square(x)) - y * x).sum() },
      startingAt: Tensor([1]), solver: LBFGS()
    ).solved { _, _ in Tensor([0]) }
    layer.onFailure = .report
    let found = try layer.hypergradient(at: Tensor([2]), errorEstimate: .newton) { x, y in
      (x * y).sum()
    }
    #expect(found.record.estimatedRelativeError == nil)
    #expect(found.record.description.contains("no error estimate"))
    #expect(!found.record.isConverged)
  }
}
