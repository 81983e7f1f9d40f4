import Autodiff
import Bilevel
import Solvers
import TestSupport
import Testing

/// What users of other libraries reported.
///
/// Far points called converged, solutions thrown away, points that are no minima. Numbers by 40-digit
/// arithmetic.
@Suite("Accepted and refused solutions")
struct AcceptedSolutionTests {
  private static let minimizers: [any InnerSolver] = [
    GradientDescent(), AcceleratedGradientDescent(), LBFGS(), NewtonCG(), Newton(),
  ]

  private func status(_ failure: SolverError?) -> SolverStatus? {
    if case .unsolved(let status, of: .inner) = failure { return status }
    return nil
  }

  @Test("exp(x) − y x from 40", arguments: [0, 1, 2])
  func exponential(index: Int) throws {
    let solver: any InnerSolver = [LBFGS(), Newton(), NewtonCG()][index]
    let layer = AID(
      minimizing: { (x: Tensor, y: Tensor) in (exp(x) - y * x).sum() }, startingAt: Tensor([40.0]),
      solver: solver)
    let (x, slope) = try valueWithGradient(at: Tensor(2)) { y in
      try layer.solution(at: y).value.sum()
    }
    #expect(abs(x.scalar - 0.693147180559945) < 1e-8)
    #expect(abs(slope.scalar - 0.5) < 1e-7)
  }

  @Test(
    "Rosenbrock's function in six dimensions from far away: a minimum of it, and no other point")
  func rosenbrock() throws {
    let layer = AID(
      minimizing: { (x: Tensor, y: Tensor) in
        100 * square(x[1..<6] - square(x[0..<5])).sum() + square(y - x).sum()
      }, startingAt: Tensor([76, 97, 20, 120, 0.01, 1e4]),
      solver: LBFGS(stopping: StoppingRule(maximumIterations: 20_000)))
    let solution = try layer.solution(at: Tensor(1))
    let x = solution.value.scalars
    // The global minimum, or the other one that this function has.
    let other = [-0.991721, 0.993560, 0.992172, 0.986903, 0.975163, 0.951432]
    let isMinimum = [[Double](repeating: 1, count: 6), other].contains { minimum in
      zip(x, minimum).allSatisfy { abs($0 - $1) < 1e-5 }
    }
    #expect(isMinimum, "\(x)")
  }

  @Test("cos x from 1e9")
  func fixedPoint() throws {
    for solver: any InnerSolver in [FixedPointIteration(), AndersonAcceleration()] {
      let layer = AID(
        fixedPoint: { (x: Tensor, y: Tensor) in cos(x) * y }, startingAt: Tensor([1e9]),
        solver: solver)
      let (x, slope) = try valueWithGradient(at: Tensor(1)) { y in
        try layer.solution(at: y).value.sum()
      }
      #expect(abs(x.scalar - 0.739085133215161) < 1e-8)
      // cos x / (1 + sin x).
      #expect(abs(slope.scalar - 0.441610791705328) < 1e-7)
    }
  }

  @Test("Logistic regression with a column of 1e9, where the raw Hessian has condition 1e18")
  func unscaledColumn() throws {
    let column = Tensor([1.2e8, 3.4e8, 5.6e8, 7.8e8, 9e8, 1.1e9, 1.5e8, 1e9])
    let signs = Tensor([-1, -1, 1, -1, 1, 1, -1, 1])
    let layer = AID(
      minimizing: { (w: Tensor, y: Tensor) in
        softplus(-(signs * (w[0] + w[1] * column))).sum() + 0 * y
      }, startingAt: Tensor([0, 0]), solver: Newton(), adjoint: DenseLU())
    let w = try layer.solution(at: Tensor(0)).value.scalars
    #expect(abs(w[0] + 4.355327242) < 1e-4)
    #expect(abs(w[1] - 6.806225606e-9) < 1e-13)
    let quasi = AID(
      minimizing: { (w: Tensor, y: Tensor) in
        softplus(-(signs * (w[0] + w[1] * column))).sum() + 0 * y
      }, startingAt: Tensor([0, 0]), solver: LBFGS())
    do {
      let w = try quasi.solution(at: Tensor(0)).value.scalars
      #expect(abs(w[0] + 4.355327242) < 1e-4 && abs(w[1] - 6.806225606e-9) < 1e-13)
    } catch {
      #expect(status(error) != nil)
    }
  }

  @Test("A solution as the start is a solution", arguments: [ScalarType.float64, .float32])
  func startAtSolution(type: ScalarType) throws {
    let rows = normal([30, 4], seed: 5).cast(to: type)
    let targets = normal([30], seed: 6).cast(to: type)
    let gram = matmul(rows, rows, transposeA: true) + 0.1 * Tensor.identity(4, type)
    let solution = try solve(gram, matmul(targets, rows))
    for offset in [0, 1e-9, 1e-7] {
      let start = solution + offset * Tensor.ones(like: solution)
      for solver in Self.minimizers {
        let layer = AID(
          minimizing: { (w: Tensor, y: Tensor) in
            0.5 * square(matmul(rows, w) - y * targets).sum() + 0.05 * square(w).sum()
          }, startingAt: start, solver: solver)
        let found = try layer.solution(at: Tensor.ones([], type))
        let limit = type == .float32 ? 1e-3 : 1e-8
        #expect((found.value - solution).norm().scalar <= limit * solution.norm().scalar)
        #expect(found.status.iterations <= 5 || offset > 0)
      }
      let fit = AID(
        leastSquares: { (w: Tensor, y: Tensor) in
          Tensor.concatenated([matmul(rows, w) - y * targets, 0.1.squareRoot() * w])
        }, startingAt: start, solver: LevenbergMarquardt())
      _ = try fit.solution(at: Tensor.ones([], type))
    }
  }

  @Test("A network in float32 is trained by AID with default settings")
  func networkInFloat32() throws {
    let inputs = normal([40, 2], seed: 3).cast(to: .float32)
    let targets = tanh(inputs.sum(alongAxis: 1))
    let start = ["w": 0.5 * normal([2, 8], seed: 4), "v": 0.5 * normal([8], seed: 5)].mapValues {
      $0.cast(to: .float32)
    }
    let layer = AID<[String: Tensor], Tensor>(
      minimizing: { p, λ in
        let (w, v) = (p["w"] ?? λ, p["v"] ?? λ)
        return square(matmul(tanh(matmul(inputs, w)), v) - targets).mean()
          + exp(λ) * (square(w).sum() + square(v).sum())
      }, startingAt: start, solver: LBFGS())
    let λ = Tensor(-3).cast(to: .float32)
    let found = try layer.solution(at: λ)
    #expect(found.status.certificate?.isAccepted == true)
  }

  @Test("Separated data have no minimum, and the refusal says so")
  func separatedData() throws {
    let (x, signs) = (Tensor([-2, -1, 1, 2]), Tensor([-1, -1, 1, 1]))
    for solver in Self.minimizers {
      let layer = AID(
        minimizing: { (w: Tensor, y: Tensor) in softplus(-(signs * (y * w * x))).sum() },
        startingAt: Tensor([0.1]), solver: solver)
      let failure = #expect(throws: SolverError.self) { try layer.solution(at: Tensor(1)) }
      let text = "\(failure.map { "\($0)" } ?? "")"
      #expect(
        text.contains("falls without end") || text.contains("at infinity")
          || text.contains("singular") || text.contains("null direction"), "\(text)")
    }
  }

  @Test("A maximum is refused by every solver and every adjoint")
  func maximum() throws {
    let adjoints: [any LinearSolver] = [
      ConjugateGradient(), MINRES(), GMRES(), BiCGStab(), DenseLU(), DenseCholesky(), Neumann(),
      NormalConjugateGradient(),
    ]
    for adjoint in adjoints {
      let layer = AID(
        minimizing: { (x: Tensor, y: Tensor) in (cos(x) + 0.01 * y * x).sum() },
        startingAt: Tensor([0.3]), solver: Newton(), adjoint: adjoint)
      let failure = #expect(throws: SolverError.self) { try layer.solution(at: Tensor(1)) }
      guard case .indefinite? = status(failure)?.outcome else {
        Issue.record("\(adjoint): \(failure.map { "\($0)" } ?? "")")
        continue
      }
    }
    for solver in Self.minimizers {
      // Exactly stationary: no step leads away.
      let layer = AID(
        minimizing: { (x: Tensor, y: Tensor) in (y * cos(x)).sum() }, startingAt: Tensor([0.0]),
        solver: solver)
      let failure = #expect(throws: SolverError.self) { try layer.solution(at: Tensor(1)) }
      #expect("\(failure.map { "\($0)" } ?? "")".contains("maximum"))
    }
  }

  @Test("A component that the objective ignores is named, whatever solver meets it")
  func ignoredComponent() throws {
    for solver in Self.minimizers {
      let layer = AID<[String: Tensor], Tensor>(
        minimizing: { p, y in
          let w = p["w"] ?? y
          return (square(w[0] - y) + square(w[2] - 2 * y)).sum()
        }, startingAt: ["w": Tensor([0.5, 7, 3])], solver: solver)
      let failure = #expect(throws: SolverError.self) { try layer.solution(at: Tensor(1)) }
      #expect("\(failure.map { "\($0)" } ?? "")".contains("w[1] (100 %)"))
    }
  }

  @Test("A valley of curvature 1e-12 is followed to its end or refused")
  func valley() throws {
    for solver in Self.minimizers {
      let layer = AID(
        minimizing: { (x: Tensor, y: Tensor) in
          square(x[0] - y) + 1e-12 * square(x[1] - 2 * y)
        }, startingAt: Tensor([0.5, 3]), solver: solver)
      guard let x = try? layer.solution(at: Tensor(1)).value else { continue }
      #expect(abs(x.sum().scalar - 3) < 1e-6)
    }
    let layer = AID(
      minimizing: { (x: Tensor, y: Tensor) in
        square(x[0] - y) + 1e-12 * square(x[1] - 2 * y)
      }, startingAt: Tensor([0.5, 3]), solver: NewtonCG())
    // Forward mode: the residual of the tangent's system says nothing of its second component.
    let (x, tangent) = try jvp(at: Tensor(1), along: Tensor(1)) { y in
      try layer.solution(at: y).value
    }
    #expect(abs(x.sum().scalar - 3) < 1e-7)
    #expect(abs(tangent[0].scalar - 1) < 1e-6 && abs(tangent[1].scalar - 2) < 1e-6)
  }

  @Test("NaN at the start is said to be in the data or the start")
  func notANumber() throws {
    for solver in Self.minimizers {
      let layer = AID(
        minimizing: { (x: Tensor, y: Tensor) in square(x - y * Tensor([.nan])).sum() },
        startingAt: Tensor([1.0]), solver: solver)
      let failure = #expect(throws: SolverError.self) { try layer.solution(at: Tensor(1)) }
      #expect("\(failure.map { "\($0)" } ?? "")".contains("NaN in the data or the start"))
    }
  }

  @Test("A user's solver is held to the same rule, near the start and far from it")
  func usersSolver() throws {
    func layer(_ factor: Double, from start: Double) -> AID<Tensor, Tensor> {
      AID(
        root: { (x: Tensor, y: Tensor) in x * x * x - y }, startingAt: Tensor([start])
      ).solved { _, y in pow(y, 1.0 / 3).reshaped(to: [1]) * factor }
    }
    for start in [2 * (1 + 1e-12), 3, 1e6] {
      #expect(throws: Never.self) { try layer(1 + 1e-8, from: start).solution(at: Tensor(8)) }
      let failure = #expect(throws: SolverError.self) {
        try layer(1.01, from: start).solution(at: Tensor(8))
      }
      #expect(status(failure)?.outcome == .inaccurate)
    }
  }

  @Test("A warm start at the solution costs the certificate, and a stated tolerance no certificate")
  func costs() throws {
    let layer = AID(
      minimizing: { (x: Tensor, y: Tensor) in (exp(x) - y * x).sum() },
      startingAt: Tensor([0.5, 1]),
      solver: LBFGS())
    let state = WarmStart<Tensor>()
    _ = try layer.solution(at: Tensor(2), warmStart: state)
    let again = try layer.solution(at: Tensor(2), warmStart: state).status
    #expect(again.iterations == 0)
    #expect(again.evaluations <= 1 + (again.certificate?.products ?? 0))
    let stated = AID(
      minimizing: { (x: Tensor, y: Tensor) in (exp(x) - y * x).sum() },
      startingAt: Tensor([0.5, 1]),
      solver: LBFGS(stopping: StoppingRule(relative: 1e-3)))
    #expect(try stated.solution(at: Tensor(2)).status.certificate == nil)
  }
}
