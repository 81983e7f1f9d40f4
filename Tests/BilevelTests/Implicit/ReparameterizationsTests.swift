import Autodiff
import Bilevel
import Solvers
import TestSupport
import Testing

@Suite("Reparameterisations")
struct ReparameterizationsTests {
  /// A map by solves with F₁ is the same map wherever it is used, so that the Hessian in its
  /// coordinates stays symmetric for conjugate gradients, however coarse the point is.
  @Test(
    "Far from the solution the Hessian in new coordinates stays symmetric for conjugate gradients",
    arguments: [false, true])
  func symmetricMaps(isNewton: Bool) throws {
    var generator = PhiloxGenerator(seed: 3)
    let features = Tensor.normal([30, 8], using: &generator) * (1 + Tensor.range(8))
    let signs = select(
      Tensor.uniform([30], using: &generator) .< 0.5, Tensor.ones([30]), -Tensor.ones([30]))
    let inner = { @Sendable (x: Tensor, y: Tensor) in
      softplus(-(signs * matmul(features, x))).mean() + (exp(y) * square(x)).sum()
    }
    let outer = { (x: Tensor, y: Tensor) in square(x - 1).sum() }
    let y = Tensor.zeros([8]) - 2
    let estimator: HypergradientEstimator<Tensor> = .reparameterized(
      isNewton ? NewtonReparameterization() : FullReparameterization())
    let solver = GradientDescent(step: .fixed(1e-3), iterations: 3)
    let x = try solver.solve(
      .minimum(startingAt: Tensor.zeros([8])) { x throws(SolverError) in inner(x, y) }
    ).value
    func gradient(_ adjoint: any LinearSolver) throws -> Tensor {
      let layer = AID(
        minimizing: inner, startingAt: Tensor.zeros([8]), solver: solver, adjoint: adjoint)
      return try layer.hypergradient(at: y, evaluatedAt: x, estimator: estimator, of: outer)
        .gradient
    }
    let exact = try gradient(DenseLU(tolerance: 1e-12))
    let matched = try gradient(ConjugateGradient())
    #expect((matched - exact).norm().scalar <= 1e-2 * exact.norm().scalar)
  }
}
