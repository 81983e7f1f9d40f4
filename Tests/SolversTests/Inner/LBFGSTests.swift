import Autodiff
import Solvers
import TestSupport
import Testing

@Suite("L-BFGS")
struct LBFGSTests {
  @Test("With nearly exact searches a quadratic in n unknowns takes about n iterations")
  func quadratic() throws {
    for condition in [10.0, 100, 1e4] {
      let q = Quadratic(size: 10, condition: condition)
      let solver = LBFGS(memory: 20, curvature: 0.1, stopping: StoppingRule(relative: 1e-10))
      let solution = try solver.solve(q.problem(from: .zeros([10])))
      #expect(solution.status.isConverged)
      #expect(solution.status.iterations <= 20)
      #expect(distance(solution.value, q.solution) < 1e-6)
    }
  }

  @Test("Relative gradients of 1e-13 are reached, at about one gradient per iteration")
  func accuracy() throws {
    let solver = LBFGS(stopping: StoppingRule(relative: 1e-13, maximumIterations: 100))
    let q = Quadratic(size: 30, condition: 30)
    let solution = try solver.solve(q.problem(from: .zeros([30])))
    #expect(solution.status.isConverged)
    #expect(distance(solution.value, q.solution) < 1e-11)
    let logistic = try solver.solve(Logistic.problem())
    #expect(logistic.status.isConverged)
    #expect(logistic.status.evaluations <= logistic.status.iterations + 5)
  }

  @Test("An objective that is a small difference of large terms does not limit the accuracy")
  func cancellation() throws {
    let q = Quadratic(size: 10, condition: 1e4)
    let b = matmul(q.matrix, q.solution)
    let constant = 0.5 * dot(q.solution, b)
    let problem = try InnerProblem.minimum(startingAt: .zeros([10])) { x in
      0.5 * dot(x, matmul(q.matrix, x)) - dot(b, x) + constant
    }
    let solver = LBFGS(stopping: StoppingRule(relative: 1e-12))
    let solution = try solver.solve(problem)
    #expect(solution.status.isConverged)
    #expect(distance(solution.value, q.solution) < 1e-7)
  }

  @Test("Rosenbrock's valley", arguments: [2, 10])
  func rosenbrock(size: Int) throws {
    let solver = LBFGS(stopping: StoppingRule(relative: 1e-13, maximumIterations: 60))
    let solution = try solver.solve(Rosenbrock.problem(size))
    #expect(solution.status.isConverged)
    #expect(distance(solution.value, .ones([size])) < 1e-10)
  }

  @Test("Trials outside the domain of the objective are taken back")
  func domain() throws {
    let problem = try InnerProblem.minimum(startingAt: Tensor([1e-3, 50])) { x in
      (x - log(x)).sum()
    }
    let solution = try LBFGS().solve(problem)
    #expect(solution.status.isConverged)
    #expect(distance(solution.value, .ones([2])) < 1e-5)
  }
}
