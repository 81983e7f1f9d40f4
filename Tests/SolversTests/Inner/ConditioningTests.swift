import Autodiff
import Solvers
import TestSupport
import Testing

/// Line-search methods where the objective resolves much less than the gradient.
@Suite("Bad conditioning")
struct ConditioningTests {
  @Test("Newton-CG on quadratics", arguments: [1e2, 1e3, 1e4, 1e5, 1e6, 1e7])
  func newtonCG(condition: Double) throws {
    for seed: UInt64 in [1, 2, 3] {
      let q = try LongQuadratic(size: 60, condition: condition, seed: seed)
      let stopping = StoppingRule(relative: 1e-8, maximumIterations: 200)
      let status = try NewtonCG(stopping: stopping).solve(q.problem()).status
      #expect(status.isConverged)
      #expect(status.relativeResidual <= 1e-8)
      // From 1e6 on the gradient itself is resolved only to about 1e-9.
      #expect(status.iterations <= (condition < 1e6 ? 6 : 20))
    }
  }

  /// About 10 √κ iterations, whatever the objective resolves.
  @Test("L-BFGS on quadratics", arguments: [1e2, 1e3, 1e4, 1e5, 1e6, 1e7])
  func lbfgs(condition: Double) throws {
    let limit = Int(15 * condition.squareRoot())
    for seed: UInt64 in condition < 1e6 ? [1, 2, 3] : [1] {
      let q = try LongQuadratic(size: 60, condition: condition, seed: seed)
      let solver = LBFGS(stopping: StoppingRule(relative: 1e-8, maximumIterations: limit))
      let status = try solver.solve(q.problem()).status
      #expect(status.isConverged)
      #expect(status.relativeResidual <= 1e-8)
    }
  }

  @Test("Gradient descent with backtracking on a quadratic")
  func gradientDescent() throws {
    let q = try LongQuadratic(size: 60, condition: 1e3)
    let solver = GradientDescent(stopping: StoppingRule(maximumIterations: 15_000))
    #expect(try solver.solve(q.problem()).status.isConverged)
  }

  @Test("Logistic regression with features of different units", arguments: [1e2, 1e3])
  func logistic(spread: Double) throws {
    let units = pow(Tensor(spread), -Tensor.range(20) / 19.0)
    let features = normal([200, 20], seed: 31)
    let noise = 2 * normal([200], seed: 32)
    let labels = sign(matmul(features, normal([20], seed: 33)) + noise)
    let data = features * units
    let problem = try InnerProblem.minimum(startingAt: .zeros([20])) { w in
      softplus(-labels * matmul(data, w)).mean() + 0.5e-9 * dot(w, w)
    }
    let newton = try NewtonCG().solve(problem).status
    #expect(newton.isConverged)
    #expect(newton.iterations <= 20)
    let solver = LBFGS(stopping: StoppingRule(maximumIterations: 20_000))
    #expect(try solver.solve(problem).status.isConverged)
  }

  @Test(
    "Without a tolerance a run stalls soon after it has reached the rounding error of the gradient",
    arguments: [ScalarType.float64, .float32])
  func roundingFloor(type: ScalarType) throws {
    for condition in [1, 1e2, 1e4] {
      let q = try LongQuadratic(size: 60, condition: condition, seed: 4, type)
      let stopping = StoppingRule(relative: 0, maximumIterations: 100_000)
      let runs: [(solver: any InnerSolver, limit: Double)] = [
        (NewtonCG(stopping: stopping), 60),
        (LBFGS(stopping: stopping), 100 + 20 * condition.squareRoot()),
      ]
      for (solver, limit) in runs {
        let solution = try solver.solve(q.problem())
        // In float32 and at κ = 1 the gradient may happen to be exactly zero.
        #expect(solution.status.outcome == .stalled || solution.status.residual == 0)
        #expect(Double(solution.status.iterations) < limit)
        // ‖A‖ = 1.
        let rounding = type.ulpOfOne * solution.value.norm().scalar
        #expect(solution.status.residual < 20 * rounding)
      }
    }
  }

  @Test(
    "An objective that is unbounded below ends soon, and not as a matter of precision",
    arguments: [ScalarType.float64, .float32])
  func unbounded(type: ScalarType) throws {
    let slope = Tensor([1.0, -2, 3]).cast(to: type)
    let ones = Tensor.ones([3], type)
    let problems: [InnerProblem] = [
      try .minimum(startingAt: 0 * ones) { x in dot(slope, x) },
      try .minimum(startingAt: ones) { x in dot(slope, x) },
      try .minimum(startingAt: ones) { x in -dot(x, x) },
      try .minimum(startingAt: ones) { x in -square(square(x)).sum() },
    ]
    for problem in problems {
      for solver: any InnerSolver in [NewtonCG(), LBFGS()] {
        let solution = try solver.solve(problem)
        #expect(solution.status.outcome == .notFinite)
        #expect(solution.status.evaluations < 1000)
        #expect(solution.value.isFinite)
      }
    }
  }

  /// The unknowns grow until the curvature is rounding, so that the outcome is a matter of chance.
  @Test(
    "An objective that is unbounded below along a valley ends soon, unconverged",
    arguments: [ScalarType.float64, .float32])
  func unboundedValley(type: ScalarType) throws {
    let slope = Tensor([1.0, -2, 3]).cast(to: type)
    for seed: UInt64 in 1...5 {
      let factor = normal([2, 3], seed: seed).cast(to: type)
      let problem = try InnerProblem.minimum(startingAt: Tensor.ones([3], type)) { x in
        0.5 * square(matmul(factor, x)).sum() + dot(slope, x)
      }
      for solver: any InnerSolver in [NewtonCG(), LBFGS()] {
        let solution = try solver.solve(problem)
        #expect(!solution.status.isConverged)
        #expect(solution.status.evaluations < 1000)
        #expect(solution.value.isFinite)
      }
    }
  }
}
