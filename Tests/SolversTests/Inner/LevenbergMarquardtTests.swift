import Autodiff
import Solvers
import TestSupport
import Testing

@Suite("Levenberg–Marquardt")
struct LevenbergMarquardtTests {
  /// NIST's StRD Misra1a, y = b₁ (1 − exp(−b₂ x)).
  private static func misra(from start: Tensor) throws -> InnerProblem {
    let y = Tensor([
      10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02, 44.82, 50.76, 55.05, 61.01, 66.40, 75.47,
      81.78,
    ])
    let x = Tensor([
      77.6, 114.9, 141.1, 190.8, 239.9, 289.0, 332.8, 378.4, 434.8, 477.3, 536.8, 593.1, 689.1,
      760.0,
    ])
    return try .leastSquares(startingAt: start) { b in -b[0] * expMinusOne(-b[1] * x) - y }
  }

  @Test(
    "Misra1a agrees with the certified values in all but the last of eleven digits",
    arguments: [[500, 1e-4], [250, 5e-4]])
  func certified(start: [Double]) throws {
    let stopping = StoppingRule(relative: 0, absolute: 1e-7, maximumIterations: 50)
    let solution = try LevenbergMarquardt(stopping: stopping).solve(Self.misra(from: Tensor(start)))
    #expect(solution.status.isConverged)
    let certified = [2.3894212918e2, 5.5015643181e-4]
    let ratios = zip(solution.value.scalars, certified).map { abs($0 / $1 - 1) }
    #expect(ratios.allSatisfy { $0 < 1e-10 })
  }

  @Test("The units of the unknowns do not matter when the Jacobian is formed")
  func units() throws {
    let scales = Tensor([1e4, 1e-3])
    let start = Rosenbrock.start(2)
    let plain = try LevenbergMarquardt().solve(
      .leastSquares(startingAt: start, of: Rosenbrock.residuals))
    let scaled = try LevenbergMarquardt().solve(
      .leastSquares(startingAt: start / scales) { x in Rosenbrock.residuals(x * scales) })
    #expect(distance(scaled.value * scales, plain.value) < 1e-4)
    #expect(abs(scaled.status.iterations - plain.status.iterations) <= 3)
  }

  @Test("Residuals that vanish are fitted to rounding, with formed and implicit Jacobians")
  func zeroResidual() throws {
    for limit in [200, 0] {
      let solver = LevenbergMarquardt(
        denseLimit: limit, stopping: StoppingRule(relative: 1e-12, maximumIterations: 40))
      let solution = try solver.solve(
        .leastSquares(startingAt: Rosenbrock.start(10), of: Rosenbrock.residuals))
      #expect(solution.status.isConverged)
      #expect(distance(solution.value, .ones([10])) < 1e-9)
    }
  }

  @Test("Linear residuals take Gauss–Newton steps to the least-squares solution")
  func linear() throws {
    let (a, b) = (normal([30, 5], seed: 3), normal([30], seed: 4))
    for limit in [200, 0] {
      let solver = LevenbergMarquardt(
        denseLimit: limit, stopping: StoppingRule(relative: 1e-12, maximumIterations: 12))
      let solution = try solver.solve(
        .leastSquares(startingAt: .zeros([5])) { x in matmul(a, x) - b })
      #expect(solution.status.isConverged)
      let gram = matmul(a.transposed(), a)
      let truth = try Autodiff.solve(gram, matmul(a.transposed(), b))
      #expect(distance(solution.value, truth) < 1e-12)
    }
  }

  @Test("Fewer residuals than unknowns, residuals of any shape, and unknowns without effect")
  func deficient() throws {
    let problem = try InnerProblem.leastSquares(startingAt: Tensor([1, 1, 1])) { x in
      Tensor.stacked([x[0] * x[1] - 2, x[0] - x[1]]).reshaped(to: [1, 2])
    }
    // Not a solution: nothing determines the third unknown.
    let refused = try LevenbergMarquardt().solve(problem).status
    guard case .singular(let blocks) = refused.outcome else {
      Issue.record("\(refused)")
      return
    }
    #expect(blocks.map(\.name) == ["component[2]"])
    // What a stated residual asks for.
    let solution = try LevenbergMarquardt(stopping: StoppingRule(relative: 1e-8)).solve(problem)
    #expect(solution.status.isConverged)
    let x = solution.value.scalars
    #expect(abs(x[0] * x[1] - 2) < 1e-7)
    #expect(x[2] == 1)
  }
}
