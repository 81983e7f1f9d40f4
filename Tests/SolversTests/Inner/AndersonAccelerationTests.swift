import Autodiff
import Solvers
import TestSupport
import Testing

@Suite("Anderson acceleration")
struct AndersonAccelerationTests {
  @Test("It converges where the plain iteration diverges")
  func expansion() throws {
    let q = Quadratic(size: 5, condition: 4, seed: 7)
    // Eigenvalues of the map between −4 and −1.
    let problem = try InnerProblem.fixedPoint(startingAt: .zeros([5])) { x in
      q.solution - matmul(q.matrix, x - q.solution)
    }
    let stopping = StoppingRule(relative: 1e-12, maximumIterations: 2000)
    let plain = try FixedPointIteration(stopping: stopping).solve(problem)
    #expect(plain.status.outcome == .notFinite)
    let solution = try AndersonAcceleration(depth: 5, stopping: stopping).solve(problem)
    #expect(solution.status.isConverged)
    #expect(solution.status.iterations <= 12)
    #expect(distance(solution.value, q.solution) < 1e-11)
  }

  @Test("On a linear map in n unknowns it ends in about n iterations, as GMRES does")
  func linear() throws {
    let a = 0.9 * normal([6, 6], seed: 8) / 4
    let b = normal([6], seed: 9)
    let problem = try InnerProblem.fixedPoint(startingAt: .zeros([6])) { x in matmul(a, x) + b }
    let solver = AndersonAcceleration(depth: 6, stopping: StoppingRule(relative: 1e-11))
    let solution = try solver.solve(problem)
    #expect(solution.status.isConverged)
    #expect(solution.status.iterations <= 9)
  }

  @Test("A nonlinear contraction takes far fewer evaluations than the plain iteration")
  func nonlinear() throws {
    let a = normal([20, 20], seed: 10) * (0.95 / 9)
    let b = normal([20], seed: 11)
    let problem = try InnerProblem.fixedPoint(startingAt: .zeros([20])) { x in
      tanh(matmul(a, x) + b)
    }
    let stopping = StoppingRule(relative: 1e-13)
    let plain = try FixedPointIteration(stopping: stopping).solve(problem)
    let fast = try AndersonAcceleration(stopping: stopping).solve(problem)
    #expect(plain.status.isConverged && fast.status.isConverged)
    #expect(fast.status.evaluations < plain.status.evaluations)
    #expect(distance(plain.value, fast.value) < 1e-11)
  }

  @Test("More differences than unknowns are dependent, and left out")
  func dependent() throws {
    let problem = try InnerProblem.fixedPoint(startingAt: Tensor([1, 2])) { x in cos(x) }
    let solver = AndersonAcceleration(depth: 20, stopping: StoppingRule(relative: 1e-15))
    let solution = try solver.solve(problem)
    #expect(solution.status.isConverged)
    #expect(distance(solution.value, Tensor([0.7390851332151607, 0.7390851332151607])) < 1e-14)
  }

  @Test("A step outside the domain of the map is taken back")
  func domain() throws {
    // x = √(3x − 2) has fixed points 1 and 2; the slope 1.5 at 1 repels.
    let problem = try InnerProblem.fixedPoint(startingAt: Tensor([6])) { x in sqrt(3 * x - 2) }
    let solver = AndersonAcceleration(stopping: StoppingRule(relative: 1e-13))
    let solution = try solver.solve(problem)
    #expect(solution.status.isConverged)
    #expect(abs(solution.value.scalars[0] - 2) < 1e-12)
  }
}
