import Autodiff
import Bilevel
import Solvers
import TestSupport
import Testing

/// What an implementation of hypergradients under an inexact inner solve has to satisfy, on
/// problems whose every quantity is known in closed form.
@Suite("Hypergradients: acceptance")
struct HypergradientAcceptanceTests {
  @Test("1. Ω(x*, y) is the gradient of h", arguments: ReferenceProblem.all)
  func gradientOfValue(_ problem: ReferenceProblem) throws {
    let h = { (y: Tensor) in problem.outer.value(try problem.inner.solution(y), y) }
    let numeric = try differences(h, at: problem.y, step: 2e-3)
    let layer = problem.layer()
    let byTransform = try gradient(at: problem.y) { y in
      try problem.loss(try layer.solution(at: y).value, y)
    }
    let byEstimator = try layer.hypergradient(at: problem.y, of: problem.loss)
    let exact = try problem.hypergradient()
    #expect(relativeError(byTransform, numeric) < 1e-9)
    #expect(relativeError(byTransform, exact) < 1e-12)
    #expect(relativeError(byEstimator.gradient, exact) < 1e-12)
    #expect(byEstimator.record.isConverged)
  }

  @Test("2. Ω₁ = L₂₁ + Jᵀ L₁₁ anywhere, and (dp*/dy)ᵀ F₁ at x*", arguments: ReferenceProblem.all)
  func jacobianOfPlain(_ problem: ReferenceProblem) throws {
    let layer = problem.layer()
    for distance in [0, 0.3] {
      let x = try problem.point(off: distance)
      let found = try layer.estimatorJacobian(
        at: problem.y, evaluatedAt: x, estimator: .plain, of: problem.loss)
      let expected = try problem.omega1(x)
      // 0 where outer = inner, so the size of a part of it is the measure.
      let scale = try problem.lagrangian(x).l21.norm().scalar + expected.norm().scalar
      #expect((found - expected).norm().scalar <= 1e-10 * scale)
    }
    let x = try problem.solution()
    let found = try layer.estimatorJacobian(
      at: problem.y, evaluatedAt: x, estimator: .plain, of: problem.loss)
    let sensitivity = try problem.adjointSensitivity(x)
    let identity = matmul(sensitivity, problem.inner.f1(x, problem.y), transposeA: true)
    let scale = try problem.lagrangian(x).l21.norm().scalar + identity.norm().scalar
    #expect((found - identity).norm().scalar <= 1e-10 * scale)
  }

  @Test("3. A step multiplies Ω₁ by I − P⁻¹ F₁", arguments: ReferenceProblem.all)
  func jacobianOfPreconditioned(_ problem: ReferenceProblem) throws {
    let x = try problem.solution()
    let f1 = problem.inner.f1(x, problem.y)
    let rest = Tensor.identity(problem.inner.n) - f1 / column(f1.diagonal())
    let expected = matmul(try problem.omega1(x), rest)
    let step = DiagonalStep(.exact, isSafe: false)
    let found = try problem.layer().estimatorJacobian(
      at: problem.y, evaluatedAt: x, estimator: .preconditioned(step), of: problem.loss)
    let scale = try problem.lagrangian(x).l21.norm().scalar + expected.norm().scalar
    #expect((found - expected).norm().scalar <= 1e-10 * scale)
    // And by differences of the estimator itself, where P moves with x.
    let numeric = try differences(
      { try problem.estimate(at: $0, .preconditioned(step)) }, at: x, step: 1e-3)
    #expect((found - numeric).norm().scalar <= 1e-7 * scale)
  }

  static let curved = [
    ReferenceProblem.logisticLogistic, .logisticMixed, .nonSymmetricMixed, .nonSymmetricLinear,
  ]

  @Test("4. Slopes: plain 1, diagonal 1, Newton 2", arguments: curved)
  func slopes(_ problem: ReferenceProblem) throws {
    let plain = try slope(problem, .plain)
    let diagonal = try slope(problem, .preconditioned(DiagonalStep(.exact, isSafe: false)))
    let newton = try slope(problem, .preconditioned(NewtonStep()))
    let linearized = try slope(problem, .linearized)
    #expect(abs(plain - 1) <= 0.03, "plain \(plain)")
    #expect(abs(diagonal - 1) <= 0.03, "diagonal \(diagonal)")
    #expect(abs(newton - 2) <= 0.05, "Newton \(newton)")
    #expect(abs(linearized - 2) <= 0.05, "linearized \(linearized)")
  }

  @Test(
    "5. A Newton step is exact for a quadratic inner problem",
    arguments: [ReferenceProblem.ridgeLinear, .ridgeQuadratic])
  func quadraticInner(_ problem: ReferenceProblem) throws {
    for distance in [1, 1e-1, 1e-3] {
      let newton = try error(problem, .preconditioned(NewtonStep()), off: distance)
      #expect(newton < 1e-12, "at \(distance)")
    }
  }

  @Test("5. The full reparameterisation: exact for a linear outer, slope 1 for a quadratic one")
  func fullReparameterization() throws {
    let full = HypergradientEstimator<Tensor>.reparameterized(FullReparameterization())
    for distance in [1, 1e-1, 1e-3] {
      let error = try error(.ridgeLinear, full, off: distance)
      #expect(error < 1e-12, "at \(distance)")
    }
    let slope = try slope(.ridgeQuadratic, full)
    #expect(abs(slope - 1) <= 0.03)
  }

  @Test("6. Diagonal step and diagonal reparameterisation have equal constants on ridge, linear")
  func equalConstants() throws {
    let problem = ReferenceProblem.ridgeLinear
    let (layer, x) = (problem.layer(), try problem.solution())
    func jacobian(_ estimator: HypergradientEstimator<Tensor>) throws -> Tensor {
      try layer.estimatorJacobian(
        at: problem.y, evaluatedAt: x, estimator: estimator, of: problem.loss)
    }
    let step = try jacobian(.preconditioned(DiagonalStep(.exact, isSafe: false)))
    let map = try jacobian(.reparameterized(DiagonalReparameterization()))
    let plain = try jacobian(.plain)
    #expect(relativeError(step, map) < 1e-10)
    #expect(relativeError(step, plain) > 0.1)
  }

  @Test("7. Outer = inner: plain is second order, a Newton step fourth")
  func outerIsInner() throws {
    let plain = try slope(.logisticItself, .plain)
    #expect(abs(plain - 2) <= 0.05)
    let sizes = [1e-1, 6e-2, 3e-2, 2e-2]
    let newton = try logarithmicSlope(sizes) {
      try error(.logisticItself, .preconditioned(NewtonStep()), off: $0)
    }
    #expect(abs(newton - 4) <= 0.2, "\(newton)")
  }

  @Test("8. An adjoint residual of ε spoils slope 2, one of ε² keeps it")
  func adjointTolerance() throws {
    // GMRES and CG overshoot a tolerance by chance; the sloppy solver leaves exactly that residual.
    let problem = ReferenceProblem.logisticLogistic
    func slope(_ exponent: Double) throws -> Double {
      try logarithmicSlope { distance in
        var tolerance = distance
        if exponent == 2 { tolerance *= distance }
        let found = try problem.estimate(
          at: try problem.point(off: distance), .preconditioned(NewtonStep()),
          adjoint: SloppySolver(residual: tolerance))
        return relativeError(found, try problem.hypergradient())
      }
    }
    let (loose, matched) = (try slope(1), try slope(2))
    #expect(abs(loose - 1) <= 0.1, "\(loose)")
    #expect(abs(matched - 2) <= 0.05, "\(matched)")
  }

  @Test("8. The error of an inexact adjoint is Jᵀ r", arguments: ReferenceProblem.all)
  func adjointResidual(_ problem: ReferenceProblem) throws {
    let x = try problem.point(off: 0.1)
    let r = SloppySolver.residualVector(1e-3, outer: problem.outer.g1(x, problem.y))
    let found = try problem.estimate(at: x, .plain, adjoint: SloppySolver(residual: 1e-3))
    // The sloppy p leaves g₁ − F₁ᵀ p = r, and Ω is off by −Jᵀ r.
    let predicted = -matmul(try problem.jacobian(x), r, transposeA: true)
    let difference = (found - (try problem.omega(x)) - predicted).norm().scalar
    #expect(difference <= 1e-10 * predicted.norm().scalar)
  }

  @Test("9. Every estimator is exact at x*; a substituted inverse is not")
  func consistency() throws {
    for problem in ReferenceProblem.all {
      let (x, exact) = (try problem.solution(), try problem.hypergradient())
      for (name, estimator) in estimators(problem) {
        let error = relativeError(try problem.estimate(at: x, estimator), exact)
        #expect(error < 1e-11, "\(problem), \(name)")
      }
      var layer = problem.layer(adjoint: IdentityInverse())
      layer.onFailure = .report
      let substituted = try layer.hypergradient(at: problem.y, evaluatedAt: x, of: problem.loss)
        .gradient
      if problem.description != "logistic, outer = inner" {
        #expect(relativeError(substituted, exact) > 0.05, "\(problem)")
      }
    }
  }

  // Item 10, on conjugate gradients, is in Solvers/ConjugateGradientTests and LinearSolverTests.
  @Test("10. Conjugate gradients: one step on c I, n on n × n, the residual is b − A x")
  func conjugateGradients() throws {
    let multiple = LinearOperator(size: 4, scalarType: .float64) {
      3 * $0
    } transposedProduct: {
      3 * $0
    }
    let b = Tensor([1, -2, 0.5, 4])
    let solution = try ConjugateGradient().solve(
      LinearSystem(multiple, b, tolerance: 1e-14))
    #expect(solution.status.iterations == 1)
    #expect(relativeError(solution.value, b / 3) < 1e-15)
    let problem = ReferenceProblem.logisticLogistic
    let (x, y) = (try problem.solution(), problem.y)
    let h = problem.inner.f1(x, y)
    let a = LinearOperator(size: 5, scalarType: .float64) {
      matmul(h, $0)
    } transposedProduct: {
      matmul(h, $0)
    }
    let g = problem.outer.g1(x, y)
    let full = try ConjugateGradient(maximumIterations: 5).solve(
      LinearSystem(a, g, isTransposed: true, tolerance: 1e-11))
    #expect(full.status.isConverged)
    let short = try ConjugateGradient(maximumIterations: 2).solve(
      LinearSystem(a, g, isTransposed: true, tolerance: 1e-11))
    let recomputed = (g - matmul(h, short.value)).norm().scalar
    #expect(short.status.outcome == .iterationLimit)
    #expect(abs(short.status.residual - recomputed) <= 1e-14 * recomputed)
  }

  @Test("12. Error estimate over true error, plain at 1e-2", arguments: ReferenceProblem.all)
  func errorEstimate(_ problem: ReferenceProblem) throws {
    // Plain is second order where outer = inner: a Newton step is then far better still.
    let x = try problem.point(off: 1e-2)
    let found = try problem.layer(adjoint: DenseLU(tolerance: 1e-11)).hypergradient(
      at: problem.y, evaluatedAt: x, errorEstimate: .newton, of: problem.loss)
    let truth = relativeError(found.gradient, try problem.hypergradient())
    let estimate = try #require(found.record.estimatedRelativeError)
    #expect((0.9...1.1).contains(estimate / truth), "\(estimate) for \(truth)")
  }

  @Test("12. The cheaper estimate", arguments: ReferenceProblem.minima)
  func conjugateGradientEstimate(_ problem: ReferenceProblem) throws {
    let x = try problem.point(off: 1e-2)
    let found = try problem.layer(adjoint: DenseLU(tolerance: 1e-11)).hypergradient(
      at: problem.y, evaluatedAt: x, errorEstimate: .conjugateGradient(iterations: 4),
      of: problem.loss)
    let truth = relativeError(found.gradient, try problem.hypergradient())
    let estimate = try #require(found.record.estimatedRelativeError)
    #expect((0.8...1.2).contains(estimate / truth), "\(estimate) for \(truth)")
  }

  // MARK: - Measures

  private func error(
    _ problem: ReferenceProblem, _ estimator: HypergradientEstimator<Tensor>, off distance: Double
  ) throws -> Double {
    let found = try problem.estimate(at: try problem.point(off: distance), estimator)
    return relativeError(found, try problem.hypergradient())
  }

  private func slope(
    _ problem: ReferenceProblem, _ estimator: HypergradientEstimator<Tensor>
  ) throws -> Double {
    try logarithmicSlope { try error(problem, estimator, off: $0) }
  }

  private func estimators(
    _ problem: ReferenceProblem
  ) -> [(String, HypergradientEstimator<Tensor>)] {
    let curvatures = problem.direction
    return [
      ("plain", .plain), ("Newton", .preconditioned(NewtonStep())),
      ("identity", .preconditioned(IdentityStep(step: 0.1))),
      ("diagonal", .preconditioned(DiagonalStep())),
      ("estimated diagonal", .preconditioned(DiagonalStep(.estimated(probes: 30, seed: 1)))),
      ("frozen", .preconditioned(FrozenHessianStep(at: problem.direction))),
      ("linearized", .linearized),
      ("diagonal map", .reparameterized(DiagonalReparameterization())),
      ("full map", .reparameterized(FullReparameterization())),
      ("Newton map", .reparameterized(NewtonReparameterization())),
      ("exponential map", .reparameterized(ExponentialReparameterization())),
      ("separable map", .reparameterized(SeparableReparameterization(curvatures: curvatures))),
      ("composed", .composed(DiagonalStep(), DiagonalReparameterization())),
    ]
  }
}

/// Solves exactly for a right-hand side that is off by a given relative amount.
struct SloppySolver: LinearSolver {
  let residual: Double
  var tolerance: Double? { residual * 1.01 }

  static func residualVector(_ size: Double, outer b: Tensor) -> Tensor {
    let v = cos(Tensor.range(b.elementCount))
    return size * b.norm() * v / v.norm()
  }

  func solve(_ system: LinearSystem) throws(SolverError) -> LinearSolution {
    let b = system.rightHandSide
    let r = Self.residualVector(residual, outer: b)
    let exact = try DenseLU().solve(
      LinearSystem(
        system.matrix, b - r, isTransposed: system.isTransposed, tolerance: 1e-10))
    let (scale, size) = (b.norm().scalar, r.norm().scalar)
    return LinearSolution(
      value: exact.value,
      status: SolverStatus(
        method: "sloppy", outcome: .converged, history: [scale, size], threshold: size,
        scale: scale, evaluations: 1))
  }
}
