import Autodiff
import Solvers
import TestSupport
import Testing

@Suite("Gradient descent")
struct GradientDescentTests {
  @Test("The optimal step contracts the extreme directions by (κ − 1)/(κ + 1), exactly")
  func rate() throws {
    let curvatures = Tensor([1, 9])
    let problem = try InnerProblem.minimum(startingAt: Tensor([1, -1])) { x in
      0.5 * dot(curvatures * x, x)
    }
    let solution = try GradientDescent(step: .fixed(0.2), iterations: 40).solve(problem)
    var power = 1.0
    for _ in 0..<40 { power *= 0.8 }
    let error = solution.value.norm().scalar / (2.0).squareRoot()
    #expect(abs(error / power - 1) < 1e-13)
  }

  @Test("A number of steps costs one gradient each, one more for the status, and no objective")
  func exactCount() throws {
    let evaluations = Counter()
    let q = Quadratic(size: 5, condition: 1e4)
    // Every gradient is one evaluation of the objective; a value besides would be another.
    let objective: InnerProblem.VectorFunction = { x in
      evaluations.value += 1
      return 0.5 * dot(x - q.solution, matmul(q.matrix, x - q.solution))
    }
    let problem = try InnerProblem(.minimum(objective), startingAt: .zeros([5]), scale: 1)
    let solution = try GradientDescent(step: .fixed(1e-4), iterations: 500).solve(problem)
    #expect(solution.status.iterations == 500)
    #expect(solution.status.outcome == .iterationLimit)
    #expect(evaluations.value == 501)
    #expect(solution.status.evaluations == 501)
  }

  @Test("Backtracking reaches relative gradients of 1e-13, far below what the objective resolves")
  func accuracy() throws {
    let stopping = StoppingRule(relative: 1e-13, maximumIterations: 2000)
    let quadratic = Quadratic(size: 8, condition: 20)
    let solution = try GradientDescent(stopping: stopping).solve(
      quadratic.problem(from: .zeros([8])))
    #expect(solution.status.isConverged)
    #expect(distance(solution.value, quadratic.solution) < 1e-11)
    let logistic = try GradientDescent(stopping: stopping).solve(Logistic.problem())
    #expect(logistic.status.isConverged)
    #expect(logistic.status.evaluations < 400)
  }

  @Test("A first step that is far too long is shrunk")
  func longStep() throws {
    let problem = try Quadratic(size: 4, condition: 10).problem(from: .zeros([4]))
    let solver = GradientDescent(step: .backtracking(initial: 1e12, shrinkage: 0.5))
    #expect(try solver.solve(problem).status.isConverged)
  }

  @Test("A fixed step that is too long ends at the last finite point")
  func divergence() throws {
    let problem = try InnerProblem.minimum(startingAt: Tensor([1])) { x in (x * x).sum() }
    let solution = try GradientDescent(step: .fixed(1e10)).solve(problem)
    #expect(solution.status.outcome == .notFinite)
    #expect(solution.value.isFinite)
    #expect(solution.status.history.allSatisfy { $0.isFinite })
  }

  @Test("A point that steps no longer change ends as stalled")
  func stalled() throws {
    let problem = try InnerProblem.minimum(startingAt: Tensor([3])) { x in
      (0.5 * square(x - 1) + 1e-20 * x).sum()
    }
    let stopping = StoppingRule(relative: 1e-30)
    let solution = try GradientDescent(step: .fixed(0.5), stopping: stopping).solve(problem)
    #expect(solution.status.outcome == .stalled)
    #expect(solution.status.iterations < 100)
    #expect(solution.value.scalars == [1])
  }
}
