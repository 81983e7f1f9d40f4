import Autodiff
import Bilevel
import Foundation
import Solvers
import TestSupport
import Synchronization
import Testing

/// Every solver that applies gives the same derivative.
@Suite("Solvers of a layer")
struct AIDSolverTests {
  private let problem: ConditionedQuadratic
  init() throws { problem = try ConditionedQuadratic() }

  @Test("Every method that applies")
  func right() throws {
    let tight = StoppingRule(relative: 1e-14, absolute: 1e-14)
    let layers: [(String, AID<Tensor, Tensor>)] = [
      ("CG", problem.layer()), ("LU", problem.layer(adjoint: DenseLU())),
      ("Cholesky", problem.layer(adjoint: DenseCholesky())),
      ("GMRES", problem.layer(adjoint: GMRES(tolerance: 1e-13))),
      ("MINRES", problem.layer(adjoint: MINRES(tolerance: 1e-13))),
      ("BiCGStab", problem.layer(adjoint: BiCGStab(tolerance: 1e-13))),
      ("normal CG", problem.layer(adjoint: NormalConjugateGradient(tolerance: 1e-13))),
      ("Neumann", problem.layer(adjoint: Neumann(tolerance: 1e-13, maximumIterations: 2000))),
      ("Newton", problem.layer(NewtonCG(stopping: tight))),
      (
        "opaque",
        problem.layer().solved { _, y in
          try solve(problem.h, matmul(problem.c, Tensor(y.scalars)) + problem.k)
        }
      ),
    ]
    for (name, layer) in layers {
      let error = try problem.error(layer)
      #expect(error < 1e-12, "\(name): \(error)")
    }
  }

  @Test("The defaults: the error is that of the inner tolerance, and a correction removes it")
  func defaults() throws {
    for (solver, bound) in [(LBFGS() as any InnerSolver, 1e-7), (NewtonCG(), 1e-13)] {
      var layer = AID(
        minimizing: { x, y in try problem.objective(x, y) }, startingAt: Tensor.zeros([6]),
        solver: solver)
      let plain = try problem.error(layer)
      layer.correction = NewtonStep()
      let corrected = try problem.error(layer)
      #expect(plain < bound)
      #expect(corrected < 1e-13)
    }
  }

  @Test("A Newton step makes up for the inner solver")
  func correction() throws {
    var layer = problem.layer(
      GradientDescent(step: .fixed(1), iterations: 2), adjoint: DenseLU(tolerance: 1e-11))
    layer.onFailure = .report
    let found = try layer.hypergradient(
      at: problem.y, estimator: .preconditioned(NewtonStep()), of: problem.loss)
    #expect(relativeError(found.gradient, try problem.hypergradient()) < 1e-12)
    layer.correction = NewtonStep()
    let error = try problem.error(layer)
    #expect(error < 1e-12, "\(error)")
  }

  @Test("Methods for maps that are not symmetric are exact on it")
  func heavyBall() throws {
    let solvers: [(String, any LinearSolver)] = [
      ("GMRES", GMRES(tolerance: 1e-13)), ("LU", DenseLU()),
      ("BiCGStab", BiCGStab(tolerance: 1e-13)),
      ("normal CG", NormalConjugateGradient(tolerance: 1e-13)),
      ("fixed point", Neumann(tolerance: 1e-13, maximumIterations: 2000)),
    ]
    for (name, solver) in solvers {
      let found = try problem.heavyBall(adjoint: solver).hypergradient(at: problem.y) { state, y in
        try problem.loss(state.elements.0, y)
      }
      let error = relativeError(found.gradient, try problem.hypergradient())
      #expect(error < 1e-11, "\(name): \(error)")
    }
  }

  @Test("Stochastic solvers see the mini-batches, derivatives the full objective")
  func batches() throws {
    let targets = Tensor([1, 2, 3, 6])
    var layer = AID(
      minimizing: { (x: Tensor, y: Tensor) in 0.5 * square(x - y * targets).mean() },
      startingAt: Tensor(0),
      solver: StochasticAdam(
        learningRate: 0.05, decay: 0.999,
        stopping: StoppingRule(relative: 1e-2, maximumIterations: 20_000)))
    let steps = Mutex(0)
    layer.batchObjective = { x, y, step in
      steps.withLock { $0 += 1 }
      return 0.5 * square(x - y * targets[step % 4])
    }
    let (value, slope) = try valueWithGradient(at: Tensor(2)) { try layer.solution(at: $0).value }
    #expect(steps.withLock { $0 } > 100)
    #expect(abs(value.scalar - 6) < 0.1)
    #expect(abs(slope.scalar - 3) < 1e-12)
  }

  @Test("A layer that chose the adjoint tolerance accepts working precision; a user's is kept")
  func workingPrecision() throws {
    // Condition number 1e7: rounding alone keeps the adjoint residual above 1e-11.
    let n = 40
    let spectrum = Tensor((0..<n).map { pow(10.0, -7 * Double($0) / 39) })
    var generator = PhiloxGenerator(seed: 9)
    let random = Tensor.normal([n, n], using: &generator)
    let basis = try symmetricEigen(symmetrized(random)).vectors
    let hessian = matmul(basis * spectrum, basis, transposeB: true)
    func layer(_ adjoint: any LinearSolver) -> AID<Tensor, Tensor> {
      AID(
        minimizing: { x, y in 0.5 * dot(x, matmul(hessian, x)) - dot(x, y) },
        startingAt: Tensor.zeros([n]), solver: LBFGS(), adjoint: adjoint
      ).solved { _, y in try solve(hessian, y.reshaped(to: [n, 1])).reshaped(to: [n]) }
    }
    let y = Tensor.normal([n], using: &generator)
    let weights = Tensor.normal([n], using: &generator)
    let expected = try solve(hessian, weights.reshaped(to: [n, 1])).reshaped(to: [n])
    let slope = try gradient(at: y) { y in
      dot(weights, try layer(DenseLU()).solution(at: y).value)
    }
    #expect((slope - expected).norm().scalar <= 1e-7 * expected.norm().scalar)
    #expect(throws: SolverError.self) {
      try gradient(at: y) {
        dot(weights, try layer(DenseLU(tolerance: 1e-16)).solution(at: $0).value)
      }
    }
  }
}
