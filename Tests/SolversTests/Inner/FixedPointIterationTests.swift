import Autodiff
import Solvers
import Testing

@Suite("Fixed-point iteration")
struct FixedPointIterationTests {
  @Test("The cosine's fixed point")
  func cosine() throws {
    let problem = try InnerProblem.fixedPoint(startingAt: Tensor([1])) { x in cos(x) }
    let solution = try FixedPointIteration(stopping: StoppingRule(relative: 1e-14)).solve(problem)
    #expect(solution.status.isConverged)
    #expect(abs(solution.value.scalars[0] - 0.7390851332151607) < 1e-14)
    #expect(solution.status.evaluations == solution.status.iterations + 1)
  }

  @Test("A linear map contracts at its rate exactly, damped as well", arguments: [1, 0.5])
  func rate(damping: Double) throws {
    let problem = try InnerProblem.fixedPoint(startingAt: Tensor([1])) { x in -0.5 * x }
    let stopping = StoppingRule(relative: 0, maximumIterations: 20)
    let solution = try FixedPointIteration(damping: damping, stopping: stopping).solve(problem)
    let factor = 1 - 1.5 * damping
    var power = 1.0
    for _ in 0..<20 { power *= factor }
    #expect(solution.value.scalars == [power])
    #expect(solution.status.outcome == .iterationLimit)
  }

  @Test("A map that expands ends at the last finite point, and damping saves it")
  func divergence() throws {
    let problem = try InnerProblem.fixedPoint(startingAt: Tensor([1])) { x in 1 - 3 * x }
    let stopping = StoppingRule(relative: 1e-12, maximumIterations: 10_000)
    let plain = try FixedPointIteration(stopping: stopping).solve(problem)
    #expect(plain.status.outcome == .notFinite)
    #expect(plain.value.isFinite)
    let damped = try FixedPointIteration(damping: 0.4, stopping: stopping).solve(problem)
    #expect(damped.status.isConverged)
    #expect(abs(damped.value.scalars[0] - 0.25) < 1e-12)
  }

  @Test("An iteration that stands still ends as stalled")
  func stalled() throws {
    let problem = try InnerProblem(.fixedPoint { x in 0.5 * x }, startingAt: Tensor([1]))
    let solver = FixedPointIteration(damping: 1e-20, stopping: StoppingRule(relative: 1e-30))
    let solution = try solver.solve(problem)
    #expect(solution.status.outcome == .stalled)
    #expect(solution.status.iterations == 1)
  }
}
