import Autodiff
import HyperparameterProblems
import Testing

@Suite("Experiments") struct ExperimentTests {
  private func problem(
    _ loss: RowLoss, _ outer: OuterKind, seed: UInt64 = 0, range: ClosedRange<Double> = -1...1
  ) throws -> HyperparameterProblem {
    let data =
      loss == .squared
      ? try BundledData.mpg().split(validationFraction: 0.3, seed: 1) : try BundledData.liver()
    return try ProblemDraw(loss: loss, outer: outer, penaltyRange: range)
      .problem(on: data, seed: seed)
  }

  /// The curve of an estimator over perturbations: `newtonSteps` steps, then the plain formula.
  private func curve(
    _ problem: HyperparameterProblem, newtonSteps: Int, _ points: [InnerPoint],
    roundOff: Double? = nil
  ) throws -> EstimatorCurve {
    let y = problem.hyperparameters
    let estimates = try points.map { point in
      var x = point.x
      for _ in 0..<newtonSteps {
        x = x - (try solve(problem.regression.jacobian(x, y), problem.regression.residual(x, y)))
      }
      return try problem.outerObjective.plainEstimate(problem.regression, x, y)
    }
    var result = EstimatorCurve(
      name: "\(newtonSteps) steps", seed: 0, problem: problem, points: points,
      estimates: estimates)
    // Points this near the rounding would bend a slope of 2.
    result.roundOff = roundOff ?? result.roundOff
    return result
  }

  /// The theory on real data: the plain formula is of first order, after a Newton step of second,
  /// and with outer = inner of second at once.
  @Test("Orders of estimators") func ordersOfEstimators() throws {
    let relative = ErrorLevels.logarithmic(from: -2, to: -5, count: 7)
    for seed in 0..<3 as Range<UInt64> {
      let logistic = try problem(.logistic, .validation, seed: seed)
      let same = try problem(.logistic, .inner, seed: seed)
      let points = logistic.perturbations(relativeErrors: relative, directions: 1, seed: seed)[0]
      let plain = try curve(logistic, newtonSteps: 0, points)
      let newton = try curve(logistic, newtonSteps: 1, points, roundOff: 1e-11)
      let minMin = try curve(same, newtonSteps: 0, points, roundOff: 1e-11)
      let plainSlope = try #require(plain.slope())
      let newtonSlope = try #require(newton.slope())
      let sameSlope = try #require(minMin.slope())
      #expect(abs(plainSlope - 1) < 0.03)
      #expect(abs(newtonSlope - 2) < 0.05)
      #expect(abs(sameSlope - 2) < 0.05)
      #expect(!plain.isExact)
    }
  }

  @Test("One Newton step is exact for ridge") func oneNewtonStepIsExactForRidge() throws {
    let ridge = try problem(.squared, .quadratic)
    let points = ridge.perturbations(relativeErrors: [1e-1, 1e-3], directions: 2, seed: 1)
    let newton = try curve(ridge, newtonSteps: 1, points.flatMap { $0 })
    #expect(newton.isExact)
  }

  @Test("Perturbations have the errors asked for") func perturbationsHaveTheErrorsAskedFor() throws
  {
    let ridge = try problem(.squared, .linear)
    let size = ridge.solution.norm().scalar
    let points = ridge.perturbations(relativeErrors: [1e-1, 1e-4], directions: 3, seed: 5)
    #expect(points.count == 3)
    for direction in points {
      #expect(abs(direction[0].error / (0.1 * size) - 1) < 1e-12)
      #expect(abs(direction[1].error / (1e-4 * size) - 1) < 1e-9)
      // One direction for all errors, another one for the next.
      let (far, near) = (direction[0].x - ridge.solution, direction[1].x - ridge.solution)
      #expect(abs(dot(far, near).scalar / (far.norm() * near.norm()).scalar - 1) < 1e-9)
    }
    #expect(!points[0][0].x.isBitwiseEqual(to: points[1][0].x))
  }

  @Test("Paths record true iterates", arguments: RowLoss.allCases)
  func pathsRecordTrueIterates(loss: RowLoss) throws {
    let problem = try problem(loss, .validation, range: 3...6)
    let levels = ErrorLevels.published
    let path = try problem.gradientDescentPath(levels: levels)
    #expect(path.count > 10 && path.count <= levels.count)
    for (before, after) in zip(path, path.dropFirst()) {
      #expect(after.error < before.error)
      #expect((after.iteration ?? 0) > (before.iteration ?? 0))
    }
    for point in path {
      #expect(point.error == (point.x - problem.solution).norm().scalar)
      #expect(point.error <= levels[0])
    }
    #expect(path.last.map { $0.error <= levels[149] } == true)
  }

  @Test("Paths that do not arrive say so") func pathsThatDoNotArriveSaySo() throws {
    let problem = try problem(.logistic, .validation)
    #expect(throws: ProblemError.self) {
      try problem.gradientDescentPath(levels: [1e-9], maximumIterations: 3)
    }
  }

  /// The start is pushed 10^1.5 times its distance further away.
  @Test("Starts are far and seeded") func startsAreFarAndSeeded() throws {
    let far = try problem(.squared, .linear, seed: 4)
    let quadratic = try problem(.squared, .quadratic, seed: 4)
    #expect(far.start.isBitwiseEqual(to: quadratic.start))
    #expect(far.hyperparameters.isBitwiseEqual(to: quadratic.hyperparameters))
    #expect(far.hyperparameters.scalars.allSatisfy { (-1...1).contains($0) })
    #expect(!(try problem(.squared, .linear, seed: 5)).start.isBitwiseEqual(to: far.start))
    let data = try BundledData.mpg().split(validationFraction: 0.3, seed: 1)
    var draw = ProblemDraw(loss: .squared, outer: .linear, penaltyRange: -1...1)
    draw.push = 0
    let near = try draw.problem(on: data, seed: 4)
    let ratio = far.innerError(far.start) / near.innerError(near.start)
    #expect(abs(ratio - 32.622_776_601_683_793) < 1e-9)
  }
}
