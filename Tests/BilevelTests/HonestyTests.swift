import Autodiff
import Bilevel
import Foundation
import Solvers
import Synchronization
import Testing

/// x* = 1 / y from ½ y x² − x.
private func reciprocal(
  _ solver: any InnerSolver = NewtonCG(stopping: StoppingRule(relative: 1e-12))
) -> AID<Tensor, Tensor> {
  AID(
    minimizing: { x, y in (0.5 * y * x * x - x).sum() }, from: Tensor([0.1]), solver: solver)
}

/// What cannot be right is refused, and what is not known is not reported as if it were.
@Suite("Honesty of layers")
struct HonestyTests {
  @Test("ITD differentiates its initial point", arguments: [true, false])
  func learntStart(isReverse: Bool) throws {
    // x₃ = 0.9³ θ + (1 − 0.9³).
    let f = { (θ: Tensor) throws -> Tensor in
      let layer = ITD(
        minimizing: { (x: Tensor, t: Tensor) in 0.5 * square(x - t).sum() }, from: θ,
        update: .gradientDescent(step: 0.1), steps: 3)
      return square(try layer.solution(at: Tensor(1)).value)
    }
    let shrinkage = 0.9 * 0.9 * 0.9
    let expected = 2 * (shrinkage * 3 + 1 - shrinkage) * shrinkage
    let found = try derivative(f, isReverse: isReverse)(Tensor(3)).scalar
    #expect(abs(found - expected) < 1e-14)
  }

  @Test("ITD differentiates a warm start that is traced")
  func warmStart() throws {
    let layer = ITD(
      minimizing: { (x: Tensor, t: Tensor) in 0.5 * square(x - t).sum() }, from: Tensor(0),
      update: .gradientDescent(step: 0.1), steps: 2)
    let slope = try gradient(at: Tensor(3)) { θ in
      let state = WarmStart<Tensor>()
      state.inner = θ
      return try layer.solution(at: Tensor(1), warmStart: state).value
    }
    #expect(abs(slope.scalar - 0.81) < 1e-14)
  }

  @Test("Adam's first derivative is exact where a gradient is zero, in both modes")
  func adamAtZero() throws {
    let layer = ITD(
      minimizing: { (x: Tensor, t: Tensor) in 0.5 * square(x - t).sum() },
      from: Tensor([1, 2]), update: .adam(learningRate: 1e-9), steps: 1)
    let f = { (t: Tensor) throws -> Tensor in try layer.solution(at: t).value.sum() }
    // x₁ = x₀ − rate g / (|g| + ε), and g = 0 in the first coordinate.
    let point = Tensor([1, 5])
    let slope = try gradient(at: point, of: f)
    let tangent = try jvp(at: point, along: Tensor([1, 0]), of: f).tangent
    #expect(abs(slope.scalars[0] - 1e-9 / 1e-8) < 1e-12)
    #expect(abs(tangent.scalar - slope.scalars[0]) < 1e-12)
  }

  @Test("A pseudo-gradient whose Jacobian is not symmetric is transposed, or refused")
  func pseudoGradient() throws {
    let a = Tensor(rows: [[3, 1], [-1, 2]])
    let phi = CustomDerivative<Tensor, Tensor, Never>(
      name: "phi", evaluate: { x in 0.5 * dot(x, matmul(a, x)) },
      vjp: { x, _, cotangent in cotangent * matmul(a, x) })
    func layer(_ adjoint: any LinearSolver) -> AID<Tensor, Tensor> {
      AID(
        minimizing: { x, y in phi(x) - dot(x, y * y) }, from: Tensor([0, 0]),
        solver: GradientDescent(step: .fixed(0.2), iterations: 400), adjoint: adjoint
      ).solved { _, y in
        try solve(a, square(y).reshaped(to: [2, 1])).reshaped(to: [2])
      }
    }
    // A x = y²: the gradient of x₁ + 2 x₂ is 2 y ∘ A⁻ᵀ (1, 2).
    let y = Tensor([0.7, 1.3])
    let weights = Tensor([1, 2])
    let adjoint = try solve(a.transposed(), weights.reshaped(to: [2, 1])).reshaped(to: [2])
    let expected = 2 * y * adjoint
    for solver in [GMRES(tolerance: 1e-13), BiCGStab(tolerance: 1e-13)] as [any LinearSolver] {
      let slope = try gradient(at: y) { dot(weights, try layer(solver).solution(at: $0).value) }
      #expect((slope - expected).norm().scalar < 1e-12)
    }
    #expect(throws: SolverError.self) {
      try gradient(at: y) { dot(weights, try layer(ConjugateGradient()).solution(at: $0).value) }
    }
  }

  @Test(
    "An inner tensor that nothing depends on is refused in both modes", arguments: [true, false])
  func idleTensor(isReverse: Bool) {
    let layer = AID(
      minimizing: { (x: [String: Tensor], y: Tensor) in
        square((x["used"] ?? y) - y).sum()
      }, from: ["used": Tensor([1]), "idle": Tensor([1])], solver: LBFGS())
    let f = { (y: Tensor) throws -> Tensor in
      (try layer.solution(at: y).value["used"] ?? y).sum()
    }
    let error = #expect(throws: SolverError.self) {
      try derivative(f, isReverse: isReverse)(Tensor([2]))
    }
    #expect(error?.description.contains("idle (100 %)") == true, "\(String(describing: error))")
  }

  @Test("A step that overshoots throws, or takes the word converged with it")
  func overshoot() throws {
    let coarse = reciprocal(NewtonCG(stopping: StoppingRule(relative: 1e-3)))
    let estimator = HypergradientEstimator<Tensor>.preconditioned(IdentityStep(step: 1e6))
    let y = Tensor([2])
    let plain = try coarse.hypergradient(at: y) { x, _ in square(x).sum() }
    #expect(plain.record.isConverged)
    let failure = #expect(throws: SolverError.self) {
      try coarse.solved { _, y in 1.0001 / y }.hypergradient(at: y, estimator: estimator) { x, _ in
        square(x).sum()
      }
    }
    guard case .unsolved(let status, of: .inner)? = failure else {
      Issue.record("\(String(describing: failure))")
      return
    }
    #expect(status.outcome == .inaccurate)
    var reporting = coarse.solved(tolerance: StoppingRule(relative: 1e-2)) { _, y in 1.0001 / y }
    reporting.onFailure = .report
    let found = try reporting.hypergradient(at: y, estimator: estimator) { x, _ in square(x).sum() }
    #expect(found.record.inner.outcome == .inaccurate)
    #expect(!found.record.isConverged)
  }

  @Test("A step that is not finite throws")
  func stepNotFinite() throws {
    struct Broken: StepPreconditioner {
      func inverse(
        for problem: InnerProblem, at x: Tensor
      ) throws(SolverError) -> LinearOperator.Product { { v throws(SolverError) in v / 0 } }
    }
    let failure = #expect(throws: SolverError.self) {
      try reciprocal().solved { _, y in 1.0000001 / y }.hypergradient(
        at: Tensor([2]), estimator: .preconditioned(Broken())
      ) { x, _ in square(x).sum() }
    }
    #expect(failure?.description.contains("not finite") == true)
  }

  @Test("A failing error estimate leaves the hypergradient standing")
  func failingEstimate() throws {
    struct OutOfDomain: Error {}
    var calls = 0
    let found = try reciprocal().hypergradient(at: Tensor([2]), errorEstimate: .newton) { x, _ in
      calls += 1
      if calls > 1 { throw OutOfDomain() }
      return square(x).sum()
    }
    // d(1/y²)/dy at 2.
    #expect(abs(found.gradient.scalars[0] + 0.25) < 1e-9)
    #expect(found.record.estimatedRelativeError == nil)
    #expect(found.record.description.contains("no error estimate: OutOfDomain"))
  }

  @Test("A warm start does not spoil a problem whose initial point is the solution")
  func warmStartAtSolution() throws {
    let layer = AID(
      minimizing: { (x: Tensor, y: Tensor) in
        0.5 * square(x).sum() + 0.1 * square(square(x)).sum() - (x * y).sum()
      }, from: Tensor.zeros([3]), solver: LBFGS())
    let state = WarmStart<Tensor>()
    for y in [1.0, 0.5, 0] {
      let solution = try layer.solution(
        at: y * Tensor([1, 2, -1]), warmStart: state)
      #expect(solution.status.isConverged)
      if y == 0 { #expect(solution.value.scalars == [0, 0, 0]) }
    }
  }

  @Test("The record tells whether the adjoint is accurate enough for the order promised")
  func adjointSuffices() throws {
    let weights = Tensor([1, -2, 0.5, 3])
    let scales = Tensor([1, 3, 10, 30])
    func layer(_ adjoint: any LinearSolver) -> AID<Tensor, Tensor> {
      AID(
        minimizing: { x, y in
          (0.5 * scales * square(x) + 0.1 * square(square(x)) - x * exp(y)).sum()
        }, from: Tensor.zeros([4]), solver: NewtonCG(stopping: StoppingRule(relative: 1e-3)),
        adjoint: adjoint)
    }
    let y = Tensor([0.1, 0.2, 0.3, 0.4])
    for (estimator, tolerance, suffices) in [
      (HypergradientEstimator<Tensor>.plain, nil, true), (.plain, 1e-1, false),
      (.preconditioned(NewtonStep()), nil, true), (.preconditioned(NewtonStep()), 1e-2, false),
    ] as [(HypergradientEstimator<Tensor>, Double?, Bool)] {
      let found = try layer(ConjugateGradient(tolerance: tolerance, maximumIterations: 3))
        .reporting.hypergradient(at: y, estimator: estimator) { x, _ in dot(weights, square(x)) }
      if tolerance != nil {
        #expect(found.record.adjointSuffices == suffices)
        #expect(found.record.description.contains("limits the accuracy") == !suffices)
      }
      let matched = try layer(ConjugateGradient()).hypergradient(at: y, estimator: estimator) {
        x, _ in dot(weights, square(x))
      }
      #expect(matched.record.adjointSuffices == true)
    }
  }

  @Test(
    "The error estimate is honest for estimators of the second order too", arguments: [0, 1, 2])
  func secondOrderEstimate(which: Int) throws {
    // x* = arsinh-like root of x + x³ − y in each coordinate, started off by 1 %.
    let layer = AID(
      minimizing: { (x: Tensor, y: Tensor) in
        (0.5 * square(x) + 0.25 * square(square(x)) - x * y).sum()
      }, from: Tensor.zeros([3]),
      solver: NewtonCG(stopping: StoppingRule(relative: 1e-14)), adjoint: DenseLU())
    let y = Tensor([0.7, 1.5, -2])
    let loss = { (x: Tensor, _: Tensor) throws -> Tensor in exp(x).sum() }
    let solution = try layer.solution(at: y).value
    let exact = try layer.hypergradient(at: y, of: loss).gradient
    let estimators: [HypergradientEstimator<Tensor>] = [
      .preconditioned(NewtonStep()), .preconditioned(ConjugateGradientStep(iterations: 3)),
      .linearized,
    ]
    let found = try layer.hypergradient(
      at: y, from: solution * 1.03, estimator: estimators[which], errorEstimate: .newton, of: loss)
    let truth = (found.gradient - exact).norm().scalar / exact.norm().scalar
    let estimate = try #require(found.record.estimatedRelativeError)
    #expect(truth > 1e-6)
    #expect((0.5...2).contains(estimate / truth), "\(estimate) for \(truth)")
  }

  @Test("Where the better estimate fails there is no error estimate, and a reason")
  func noEstimate() throws {
    // ¼ x⁴ − y x has no curvature at 0, where this solver stops.
    var layer = AID(
      minimizing: { (x: Tensor, y: Tensor) in (0.25 * square(square(x)) - y * x).sum() },
      from: Tensor([1]), solver: LBFGS()
    ).solved { _, _ in Tensor([0]) }
    layer.onFailure = .report
    let found = try layer.hypergradient(at: Tensor([2]), errorEstimate: .newton) { x, y in
      (x * y).sum()
    }
    #expect(found.record.estimatedRelativeError == nil)
    #expect(found.record.description.contains("no error estimate"))
    #expect(!found.record.isConverged)
  }

  @Test("Truncated iterations and penalties are never called converged")
  func approximations() throws {
    var truncated = ITD(
      minimizing: { (x: Tensor, y: Tensor) in (0.5 * square(x - y)).sum() }, from: Tensor([0]),
      update: .gradientDescent(step: 0.5), steps: 60, differentiating: .last(1))
    truncated.tolerance = 1e-6
    let solution = try truncated.solution(at: Tensor([2]))
    #expect(solution.status.isConverged)
    #expect(!solution.record.isConverged)
    #expect(solution.record.description.contains("only the last 1 iterations"))
    let penalty = try reciprocal().penaltyHypergradient(
      at: Tensor([2]), .valueFunction(strength: 3)
    ) { x, _ in square(x).sum() }
    #expect(!penalty.record.isConverged)
    // g at the point where it was evaluated, not the penalised value.
    #expect(penalty.value.scalar == square(penalty.inner).sum().scalar)
  }

  @Test("Stochastic solvers see the mini-batches, derivatives the full objective")
  func batches() throws {
    let targets = Tensor([1, 2, 3, 6])
    var layer = AID(
      minimizing: { (x: Tensor, y: Tensor) in 0.5 * square(x - y * targets).mean() },
      from: Tensor(0),
      solver: StochasticAdam(
        learningRate: 0.05, decay: 0.999,
        stopping: StoppingRule(relative: 1e-2, maximumIterations: 20_000)))
    let steps = Mutex(0)
    layer.batchObjective = { x, y, step in
      steps.withLock { $0 += 1 }
      return 0.5 * square(x - y * targets[step % 4])
    }
    let (value, slope) = try valueWithGradient(at: Tensor(2)) { try layer.solution(at: $0).value }
    #expect(steps.withLock { $0 } > 100)
    #expect(abs(value.scalar - 6) < 0.1)
    #expect(abs(slope.scalar - 3) < 1e-12)
  }

  @Test("A layer that chose the adjoint tolerance accepts working precision; a user's is kept")
  func workingPrecision() throws {
    // Condition number 1e7: rounding alone keeps the adjoint residual above 1e-11.
    let n = 40
    let spectrum = Tensor((0..<n).map { pow(10, -7 * Double($0) / Double(n - 1)) })
    var generator = PhiloxGenerator(seed: 9)
    let random = Tensor.normal([n, n], using: &generator)
    let basis = try symmetricEigen(symmetrized(random)).vectors
    let hessian = matmul(basis * spectrum, basis, transposeB: true)
    func layer(_ adjoint: any LinearSolver) -> AID<Tensor, Tensor> {
      AID(
        minimizing: { x, y in 0.5 * dot(x, matmul(hessian, x)) - dot(x, y) },
        from: Tensor.zeros([n]), solver: LBFGS(), adjoint: adjoint
      ).solved { _, y in try solve(hessian, y.reshaped(to: [n, 1])).reshaped(to: [n]) }
    }
    let y = Tensor.normal([n], using: &generator)
    let weights = Tensor.normal([n], using: &generator)
    let expected = try solve(hessian, weights.reshaped(to: [n, 1])).reshaped(to: [n])
    let slope = try gradient(at: y) { y in
      dot(weights, try layer(DenseLU()).solution(at: y).value)
    }
    #expect((slope - expected).norm().scalar <= 1e-7 * expected.norm().scalar)
    #expect(throws: SolverError.self) {
      try gradient(at: y) {
        dot(weights, try layer(DenseLU(tolerance: 1e-16)).solution(at: $0).value)
      }
    }
  }
}

extension AID {
  /// The same layer, returning what it has.
  fileprivate var reporting: AID {
    var layer = self
    layer.onFailure = .report
    return layer
  }
}
