import Autodiff
import Bilevel
import Solvers
import TestSupport
import Testing

/// Steps that are scaled so that they cannot make an error larger.
@Suite("Safe scaling of steps")
struct SafeScalingTests {
  /// ½ xᵀ H x − x · y with strongly correlated coordinates: an unscaled diagonal step overshoots.
  private struct Correlated {
    let h: Tensor
    let b: Tensor

    init(seed: UInt64, n: Int) {
      var generator = PhiloxGenerator(seed: seed)
      let scales = exp(Tensor.normal([n], using: &generator))
      let core = 0.95 * Tensor.ones([n, n]) + 0.05 * Tensor.identity(n)
      h = column(scales) * core * scales
      b = Tensor.normal([n], using: &generator)
    }

    func problem(at x: Tensor) throws -> InnerProblem {
      let (h, b) = (h, b)
      return try InnerProblem.minimum(startingAt: x) { 0.5 * dot($0, matmul(h, $0)) - dot($0, b) }
    }
  }

  private static let steps: [any StepPreconditioner] = [
    IdentityStep(), DiagonalStep(), DiagonalStep(.estimated(probes: 200, seed: 3)),
  ]

  @Test("λmax(P⁻¹ F₁) ≤ 1", arguments: [1, 2, 5, 20], [UInt64(1), 2, 3])
  func eigenvalue(n: Int, seed: UInt64) throws {
    let quadratic = Correlated(seed: seed, n: n)
    let x = Tensor.zeros([n])
    for step in Self.steps {
      let inverse = try step.inverse(for: try quadratic.problem(at: x), at: x)
      // P⁻¹ is diagonal: P^{-1/2} H P^{-1/2} is symmetric with the same eigenvalues.
      let root = sqrt(try inverse(Tensor.ones([n])))
      let largest = try symmetricEigenvalues(column(root) * quadratic.h * root).max().scalar
      #expect(largest <= 1)
      // Not scaled to nothing, either.
      #expect(largest >= 0.8)
    }
  }

  @Test("Unscaled, the diagonal overshoots on the same problems")
  func unscaled() throws {
    let quadratic = Correlated(seed: 1, n: 20)
    let x = Tensor.zeros([20])
    let step = DiagonalStep(.exact, isSafe: false)
    let root = sqrt(
      try step.inverse(for: try quadratic.problem(at: x), at: x)(Tensor.ones([20])))
    let largest = try symmetricEigenvalues(column(root) * quadratic.h * root).max().scalar
    #expect(largest > 10)
  }

  @Test("The error in the norm of F₁ never grows on a quadratic", arguments: [UInt64(1), 2, 3])
  func error(seed: UInt64) throws {
    let n = 20
    let quadratic = Correlated(seed: seed, n: n)
    let solution = try solve(quadratic.h, quadratic.b)
    func energy(_ x: Tensor) -> Double {
      dot(x - solution, matmul(quadratic.h, x - solution)).scalar
    }
    let (_, vectors) = try symmetricEigen(quadratic.h)
    let cg: [any StepPreconditioner] = [
      ConjugateGradientStep(iterations: 1), ConjugateGradientStep(iterations: 3), NewtonStep(),
    ]
    for step in Self.steps + cg {
      for index in 0..<n {
        let x = solution + vectors[.all, index]
        let problem = try quadratic.problem(at: x)
        let moved = x - (try step.inverse(for: problem, at: x)(try problem.residual(x)))
        #expect(energy(moved) <= energy(x) * (1 + 1e-12))
      }
    }
  }

  @Test("A noisy estimate of the diagonal is not taken for an indefinite matrix")
  func noise() throws {
    let quadratic = Correlated(seed: 1, n: 20)
    let x = Tensor.zeros([20])
    let problem = try quadratic.problem(at: x)
    for seed in 1...5 as ClosedRange<UInt64> {
      let step = DiagonalStep(.estimated(probes: 1, seed: seed))
      let diagonal = try step.inverse(for: problem, at: x)(Tensor.ones([20]))
      #expect(diagonal.min().scalar > 0)
    }
  }

  @Test("One large eigenvalue among a million equal ones is found")
  func outlier() throws {
    let n = 1_000_000
    var elements = [Double](repeating: 1, count: n)
    elements[7] = 2.5
    let spectrum = Tensor(elements)
    let problem = try InnerProblem.minimum(startingAt: Tensor.zeros([n])) {
      0.5 * dot($0, spectrum * $0)
    }
    let step = try IdentityStep().inverse(for: problem, at: problem.start)(Tensor.ones([n]))
    let scaled = 2.5 * step.max().scalar
    #expect(scaled <= 1 && scaled >= 0.8)
  }

  @Test("A Hessian without positive curvature has no safe gradient step")
  func negative() throws {
    let problem = try InnerProblem.minimum(startingAt: Tensor([1, 2])) { -square($0).sum() }
    let failure = #expect(throws: SolverError.self) {
      try IdentityStep().inverse(for: problem, at: problem.start)
    }
    guard case .indefinite(let curvature, _) = failure?.innerStatus?.outcome else {
      Issue.record("\(String(describing: failure))")
      return
    }
    #expect(abs(curvature + 2) < 1e-12)
  }

  @Test("A diagonal that is not positive is refused by name")
  func indefinite() throws {
    let problem = try InnerProblem.minimum(
      startingAt: Tensor([1, 1, 1]),
      blocks: [VectorBlock(name: "a", range: 0..<1), VectorBlock(name: "b", range: 1..<3)]
    ) { (Tensor([1, 1, -2]) * square($0)).sum() }
    let failure = #expect(throws: SolverError.self) {
      try DiagonalStep().inverse(for: problem, at: Tensor([1, 1, 1]))
    }
    #expect(failure?.description.contains("-4 along a direction in b") == true)
  }
}
