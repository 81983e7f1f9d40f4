import Autodiff
import Solvers
import TestSupport
import Testing

@Suite("Stochastic Adam")
struct StochasticAdamTests {
  /// Least squares on 400 samples, batches of 40 in turn.
  private static func problem(
    counting steps: Counter = Counter(),
    progress: ((Int, Double) -> Void)? = nil
  ) throws -> (problem: InnerProblem, solution: Tensor) {
    let x = normal([400, 5], seed: 21)
    let y = matmul(x, normal([5], seed: 22)) + 0.1 * normal([400], seed: 23)
    let full = try InnerProblem.minimum(startingAt: .zeros([5])) { w in
      0.5 * square(matmul(x, w) - y).mean()
    }
    let problem = try InnerProblem(
      full.formulation, startingAt: full.start,
      batchObjective: { w, step in
        steps.value += 1
        let rows = (40 * (step % 10))..<(40 * (step % 10) + 40)
        return 0.5 * square(matmul(x[rows], w) - y[rows]).mean()
      }, progress: progress)
    let gram = matmul(x.transposed(), x)
    return (problem, try Autodiff.solve(gram, matmul(x.transposed(), y)))
  }

  @Test("Batches find the full solution, and the full residual decides")
  func converges() throws {
    let steps = Counter()
    let (problem, truth) = try Self.problem(counting: steps)
    let solver = StochasticAdam(
      learningRate: 0.05, decay: 1e-3, checkInterval: 50,
      stopping: StoppingRule(relative: 1e-4, maximumIterations: 4000))
    let solution = try solver.solve(problem)
    #expect(solution.status.isConverged)
    #expect(distance(solution.value, truth) < 1e-3)
    // Steps come in whole intervals, each ended by a check.
    #expect(steps.value == 50 * solution.status.iterations)
    #expect(solution.status.evaluations == steps.value + solution.status.iterations + 1)
    let again = try solver.solve(problem)
    #expect(again.value.isBitwiseEqual(to: solution.value))
  }

  @Test("The average of the iterates is nearer to the solution than the last")
  func averages() throws {
    let (problem, truth) = try Self.problem()
    let errors = try [false, true].map { averages in
      let solver = StochasticAdam(
        learningRate: 0.05, averagesIterates: averages,
        stopping: StoppingRule(relative: 0, maximumIterations: 1000))
      return distance(try solver.solve(problem).value, truth)
    }
    #expect(errors[1] < 0.3 * errors[0])
  }

  @Test("The limit counts steps, the last interval may be short, and progress tells steps")
  func limit() throws {
    let steps = Counter()
    var reports: [Int] = []
    let problem = try Self.problem(counting: steps) { step, _ in reports.append(step) }.problem
    let solver = StochasticAdam(
      checkInterval: 40, stopping: StoppingRule(relative: 0, maximumIterations: 100))
    let status = try solver.solve(problem).status
    #expect(status.outcome == .iterationLimit)
    #expect(steps.value == 100)
    #expect(reports == [40, 80, 100])
  }
}
