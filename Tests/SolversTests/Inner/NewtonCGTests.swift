import Autodiff
import Solvers
import TestSupport
import Testing

@Suite("Newton's method with conjugate gradients")
struct NewtonCGTests {
  @Test("Convergence is quadratic, down to rounding")
  func quadratic() throws {
    let problem = try Logistic.problem(ridge: 0.01)
    let solver = NewtonCG(stopping: StoppingRule(relative: 1e-14, maximumIterations: 20))
    let status = try solver.solve(problem).status
    #expect(status.isConverged)
    #expect(status.iterations <= 9)
    // ‖F₊‖ ≤ C ‖F‖² once ‖F‖ is small; C is a constant of the problem.
    let history = status.history
    for (last, next) in zip(history, history.dropFirst()) where last < 1e-2 && next > 1e-13 {
      #expect(next < 300 * last * last)
    }
  }

  @Test("Rosenbrock's valley", arguments: [2, 10])
  func rosenbrock(size: Int) throws {
    let solver = NewtonCG(stopping: StoppingRule(relative: 1e-13, maximumIterations: 40))
    let solution = try solver.solve(Rosenbrock.problem(size))
    #expect(solution.status.isConverged)
    #expect(distance(solution.value, .ones([size])) < 1e-10)
  }

  @Test("Bad conditioning costs products, not iterations")
  func conditioning() throws {
    let q = Quadratic(size: 20, condition: 1e6)
    let solver = NewtonCG(stopping: StoppingRule(relative: 1e-12))
    let solution = try solver.solve(q.problem(from: .zeros([20])))
    #expect(solution.status.isConverged)
    #expect(solution.status.iterations <= 6)
  }

  @Test("Negative curvature leads away from a saddle point to a minimum")
  func negativeCurvature() throws {
    // Saddle at 0, minima at (0, ±1).
    let problem = try InnerProblem.minimum(startingAt: Tensor([1, 1e-6])) { x in
      let (a, b) = (x[0], x[1])
      return 0.5 * a * a + 0.25 * square(b * b - 1)
    }
    let solution = try NewtonCG(stopping: StoppingRule(relative: 1e-12)).solve(problem)
    #expect(solution.status.isConverged)
    #expect(distance(solution.value, Tensor([0, 1])) < 1e-11)
  }
}
