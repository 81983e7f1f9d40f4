import Autodiff
import Solvers
import TestSupport
import Testing

@Suite("Newton's method")
struct NewtonTests {
  private static func solver(_ relative: Double, iterations: Int = 100) -> Newton {
    Newton(
      linearSolver: DenseTestSolver(),
      stopping: StoppingRule(relative: relative, maximumIterations: iterations))
  }

  /// y³ + y = 1.3.
  private static func cubic(from start: Double) throws -> InnerProblem {
    try .root(startingAt: Tensor([start])) { y in y * y * y + y - 1.3 }
  }

  @Test("y³ + y = 1.3 to 1e-15")
  func cubicRoot() throws {
    let solution = try Self.solver(1e-15).solve(Self.cubic(from: 0))
    #expect(solution.status.isConverged)
    // The closed form, Cardano's.
    let half = 0.65
    let root = (half * half + 1.0 / 27).squareRoot()
    let cardano = pow(Tensor(root + half), 1.0 / 3) - pow(Tensor(root - half), 1.0 / 3)
    #expect(abs(solution.value[0] - cardano).scalar < 1e-15)
  }

  @Test("The error squares in every iteration")
  func rate() throws {
    let root = try Self.solver(1e-16, iterations: 50).solve(Self.cubic(from: 1)).value.scalars[0]
    var last = abs(1 - root)
    for iterations in 1...5 {
      let value = try Self.solver(0, iterations: iterations).solve(Self.cubic(from: 1)).value
      let error = abs(value.scalars[0] - root)
      // e₊ = e² F″/(2F′) + O(e³) with F″ = 6y and F′ = 3y² + 1.
      let constant = 3 * root / (3 * root * root + 1)
      let prediction = constant * last * last
      #expect(abs(error - prediction) <= 3 * last * prediction + 2 * root.ulp)
      last = error
    }
    #expect(last < 1e-15)
  }

  @Test("A root with a non-symmetric Jacobian")
  func nonSymmetric() throws {
    let b = normal([6, 6], seed: 5)
    let y = normal([6], seed: 6)
    let problem = try InnerProblem.root(startingAt: y) { x in x + 0.3 * sin(matmul(b, x)) - y }
    let solution = try Self.solver(1e-14).solve(problem)
    #expect(solution.status.isConverged)
    let x = solution.value
    #expect(distance(x + 0.3 * sin(matmul(b, x)), y) < 1e-13)
    #expect(solution.status.iterations <= 12)
  }

  @Test("A fixed point, though the iteration diverges")
  func fixedPoint() throws {
    let problem = try InnerProblem.fixedPoint(startingAt: Tensor([0])) { x in 2 - 3 * x }
    let solution = try Self.solver(1e-14).solve(problem)
    #expect(solution.status.iterations == 1)
    #expect(solution.value.scalars == [0.5])
  }

  @Test("Full steps that overshoot are shortened")
  func globalization() throws {
    // Undamped, Newton's method for the arc tangent diverges from beyond 1.39.
    let problem = try InnerProblem.root(startingAt: Tensor([5])) { x in x / sqrt(1 + x * x) }
    let solution = try Self.solver(1e-12).solve(problem)
    #expect(solution.status.isConverged)
    #expect(abs(solution.value.scalars[0]) < 1e-11)
  }

  @Test("A singular Jacobian ends the solve with that outcome")
  func singular() throws {
    let problem = try InnerProblem.root(startingAt: Tensor([1, 1])) { x in
      Tensor.stacked([x.sum() - 1, 2 * x.sum() - 2])
    }
    let solution = try Self.solver(1e-12).solve(problem)
    #expect(solution.status.outcome == .singular(blocks: []))
    #expect(solution.value.scalars == [1, 1])
  }

  @Test("An equation without a root stalls at the smallest residual")
  func noRoot() throws {
    let problem = try InnerProblem.root(startingAt: Tensor([1])) { x in x * x + 1 }
    let solution = try Self.solver(1e-12).solve(problem)
    #expect(!solution.status.isConverged)
    #expect(solution.status.residual < 1.1)
  }
}
