import Autodiff
import Solvers
import TestSupport
import Testing

@Suite("Accelerated gradient descent")
struct AcceleratedGradientDescentTests {
  private static let stopping = StoppingRule(relative: 1e-10, maximumIterations: 100_000)

  @Test("Iterations grow like √κ, with and without a known condition")
  func rate() throws {
    for isKnown in [false, true] {
      var iterations: [Double] = []
      for condition in [1e2, 1e4] {
        let problem = try Quadratic(size: 10, condition: condition).problem(from: .zeros([10]))
        let solver = AcceleratedGradientDescent(
          step: .fixed(1 / condition), condition: isKnown ? condition : nil,
          stopping: Self.stopping)
        let status = try solver.solve(problem).status
        #expect(status.isConverged)
        // Each costs one gradient.
        #expect(status.evaluations == status.iterations + 1)
        iterations.append(Double(status.iterations))
      }
      // √κ grows tenfold, κ a hundredfold.
      #expect(iterations[1] / iterations[0] < 20)
      // ln 10¹⁰ √κ, the bound of the strongly convex variant up to the norm that is measured.
      #expect(iterations[1] < 23.1 * 100 * 1.2)
    }
  }

  @Test("It needs far fewer iterations than gradient descent")
  func comparison() throws {
    let problem = try Quadratic(size: 10, condition: 1000).problem(from: .zeros([10]))
    let rule = StepRule.fixed(1e-3)
    let plain = try GradientDescent(step: rule, stopping: Self.stopping).solve(problem).status
    let fast = try AcceleratedGradientDescent(step: rule, stopping: Self.stopping)
      .solve(problem).status
    #expect(plain.isConverged && fast.isConverged)
    #expect(10 * fast.iterations < plain.iterations)
  }

  @Test("Backtracking reaches relative gradients of 1e-13, also where the objective cancels")
  func accuracy() throws {
    let q = Quadratic(size: 10, condition: 100)
    let b = matmul(q.matrix, q.solution)
    let constant = 0.5 * dot(q.solution, b)
    let cancelling = try InnerProblem.minimum(startingAt: .zeros([10])) { x in
      0.5 * dot(x, matmul(q.matrix, x)) - dot(b, x) + constant
    }
    let stopping = StoppingRule(relative: 1e-13, maximumIterations: 2000)
    let solver = AcceleratedGradientDescent(stopping: stopping)
    for problem in [try q.problem(from: .zeros([10])), cancelling] {
      let solution = try solver.solve(problem)
      #expect(solution.status.isConverged)
      #expect(distance(solution.value, q.solution) < 1e-10)
    }
  }
}
