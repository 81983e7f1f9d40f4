import Autodiff
import Solvers
import TestSupport
import Testing

/// What all inner solvers have in common.
@Suite("Inner solvers")
struct InnerSolverTests {
  @Test("A start at the solution takes no iteration")
  func startAtSolution() throws {
    for solver in minimumSolvers(StoppingRule()) {
      let problem = try InnerProblem.minimum(startingAt: Tensor([2])) { x in square(x - 2).sum() }
      let solution = try solver.solve(problem)
      #expect(solution.status.outcome == .converged)
      #expect(solution.status.iterations == 0)
      #expect(solution.value.scalars == [2])
    }
    let fit = try InnerProblem.leastSquares(startingAt: Tensor([2])) { x in x - 2 }
    #expect(try LevenbergMarquardt().solve(fit).status.iterations == 0)
    let map = try InnerProblem.fixedPoint(startingAt: Tensor([2])) { x in x }
    #expect(try FixedPointIteration().solve(map).status.iterations == 0)
    #expect(try AndersonAcceleration().solve(map).status.iterations == 0)
  }

  @Test("A warm start is measured against the scale of the problem, not its own residual")
  func warmStart() throws {
    for solver in minimumSolvers(StoppingRule(relative: 1e-3)) {
      let problem = try InnerProblem(
        .minimum { x in 0.5 * square(x).sum() }, startingAt: Tensor([1e-4]), scale: 1)
      let status = try solver.solve(problem).status
      #expect(status.isConverged && status.iterations == 0)
      #expect(status.threshold == 1e-3)
    }
  }

  @Test("The iteration limit is kept, reported, and every iteration announced")
  func iterationLimit() throws {
    let stopping = StoppingRule(relative: 0, maximumIterations: 3)
    for solver in minimumSolvers(stopping) {
      var reports: [Double] = []
      var numbers: [Int] = []
      let base = try Rosenbrock.problem(2)
      let problem = try InnerProblem(
        base.formulation, startingAt: base.start,
        progress: { number, residual in
          numbers.append(number)
          reports.append(residual)
        })
      let solution = try solver.solve(problem)
      #expect(solution.status.outcome == .iterationLimit)
      #expect(solution.status.iterations == 3)
      #expect(numbers == [1, 2, 3])
      #expect(Array(solution.status.history.dropFirst()) == reports)
      let residual = try base.residual(solution.value).norm().scalar
      #expect(abs(residual / solution.status.residual - 1) < 1e-12)
    }
  }

  @Test("An objective that is NaN at the start is reported as such")
  func notFinite() throws {
    for solver in minimumSolvers(StoppingRule()) {
      let problem = try InnerProblem(
        .minimum { x in sqrt(x).sum() }, startingAt: Tensor([-1]), scale: 1)
      let solution = try solver.solve(problem)
      #expect(solution.status.outcome == .notFinite)
      #expect(solution.value.scalars == [-1])
    }
  }

  @Test("An objective that is NaN everywhere but at the start ends there")
  func notFiniteBeyond() throws {
    let stopping = StoppingRule()
    for solver in minimumSolvers(stopping) {
      let objective: InnerProblem.VectorFunction = { x in
        stopGradient(x).scalars == [0]
          ? (0.5 * square(x + 1)).sum() : (0.5 * square(x + 1) + 0 * sqrt(-abs(x) - 1)).sum()
      }
      let problem = try InnerProblem(.minimum(objective), startingAt: Tensor([0]), scale: 1)
      let solution = try solver.solve(problem)
      #expect(!solution.status.isConverged)
      #expect(solution.value.isFinite)
    }
  }

  @Test("An accuracy beyond rounding ends as stalled, close to rounding")
  func stalled() throws {
    let stopping = StoppingRule(relative: 1e-30, maximumIterations: 5000)
    let solvers: [any InnerSolver] = [
      GradientDescent(stopping: stopping), AcceleratedGradientDescent(stopping: stopping),
      LBFGS(stopping: stopping), NewtonCG(stopping: stopping),
      Newton(linearSolver: DenseTestSolver(), stopping: stopping),
    ]
    for solver in solvers {
      for type in [ScalarType.float64, .float32] {
        let status = try solver.solve(Logistic.problem(type)).status
        #expect(status.outcome == .stalled)
        #expect(status.iterations < 2000)
        #expect(status.relativeResidual < 50 * type.ulpOfOne)
      }
    }
  }

  @Test("Vectors of no element and of one, in both precisions")
  func sizes() throws {
    for type in [ScalarType.float64, .float32] {
      let stopping = StoppingRule(relative: 1e-5, maximumIterations: 2000)
      for solver in minimumSolvers(stopping) {
        for size in [0, 1] {
          let problem = try InnerProblem.minimum(startingAt: .zeros([size], type)) { x in
            0.5 * square(x - 3).sum()
          }
          let solution = try solver.solve(problem)
          #expect(solution.status.isConverged)
          #expect(solution.value.scalarType == type)
          #expect(solution.value.shape == [size])
          #expect((solution.value - 3).norm().scalar < 1e-4)
        }
      }
      for size in [0, 1] {
        let start = Tensor.zeros([size], type)
        let fit = try LevenbergMarquardt(stopping: stopping).solve(
          .leastSquares(startingAt: start) { x in x - 3 })
        let map = try InnerProblem.fixedPoint(startingAt: start) { x in 0.5 * x + 1.5 }
        let solutions = [
          fit, try FixedPointIteration(stopping: stopping).solve(map),
          try AndersonAcceleration(stopping: stopping).solve(map),
        ]
        for solution in solutions {
          #expect(solution.status.isConverged)
          #expect(solution.value.scalarType == type)
          #expect((solution.value - 3).norm().scalar < 1e-4)
        }
      }
    }
  }

  @Test("Solvers of minima reach the same minimum of a regularised logistic regression")
  func agreement() throws {
    let problem = try Logistic.problem()
    let stopping = StoppingRule(relative: 1e-12, maximumIterations: 20_000)
    let truth = try Newton(
      linearSolver: DenseTestSolver(), stopping: StoppingRule(relative: 1e-14)
    ).solve(problem).value
    for solver in minimumSolvers(stopping) {
      let solution = try solver.solve(problem)
      #expect(solution.status.isConverged)
      #expect(distance(solution.value, truth) < 1e-9)
    }
  }

  @Test("What a function throws passes through")
  func errors() throws {
    struct Failure: Error {}
    let failing: InnerProblem.VectorFunction = { _ throws(SolverError) in
      throw .function(Failure())
    }
    let problem = try InnerProblem(.minimum(failing), startingAt: Tensor([1]), scale: 1)
    for solver in minimumSolvers(StoppingRule()) {
      #expect(throws: SolverError.self) { try solver.solve(problem) }
    }
  }

  private func expect(_ result: ExitTest.Result?, _ part: String) {
    let text = errorText(result)
    #expect(text.contains(part), "“\(part)” is not in: \(text)")
  }

  @Test("A problem of the wrong kind stops and names the solvers that apply")
  func wrongKind() async {
    let root = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let problem = try InnerProblem(.root { x in x }, startingAt: Tensor([1]))
      _ = try LBFGS().solve(problem)
    }
    expect(root, "LBFGS: it does not apply to a problem that asks for a root. Use Newton")
    let minimum = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let problem = try InnerProblem(.minimum { x in x.sum() }, startingAt: Tensor([1]))
      _ = try AndersonAcceleration().solve(problem)
    }
    expect(minimum, "Use LBFGS, NewtonCG or GradientDescent")
  }

  @Test("A setting out of range stops and says what was found")
  func validation() async {
    let step = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = GradientDescent(step: .fixed(-1))
    }
    expect(step, "GradientDescent: the step must be positive, found -1.0")
    let depth = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = AndersonAcceleration(depth: 0)
    }
    expect(depth, "AndersonAcceleration: the depth must be positive, found 0")
  }
}
