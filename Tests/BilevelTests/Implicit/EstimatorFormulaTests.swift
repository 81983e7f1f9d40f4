import Autodiff
import Bilevel
import Solvers
import TestSupport
import Testing

/// The estimators that the library derives by differentiation, against the formulas in M and N, and
/// their first-order constants against theory.
@Suite("Hypergradients: formulas of the estimators")
struct EstimatorFormulaTests {
  typealias Estimator = HypergradientEstimator<Tensor>

  @Test("Ω^φ = g₂ − (F₂ + N)ᵀ (F₁ + M)⁻ᵀ g₁ for every map", arguments: ReferenceProblem.all)
  func maps(_ problem: ReferenceProblem) throws {
    for distance in [0.5, 0.1, 0] {
      let x = try problem.point(off: distance)
      let curvatures = cos(Tensor.range(problem.inner.n))
      let cases: [(String, Estimator, (m: Tensor, n: Tensor))] = [
        (
          "diagonal", .reparameterized(DiagonalReparameterization()), problem.diagonalMatrices(x)
        ),
        ("full", .reparameterized(FullReparameterization()), try problem.fullMatrices(x)),
        ("Newton", .reparameterized(NewtonReparameterization()), try problem.newtonMatrices(x)),
        (
          "exponential", .reparameterized(ExponentialReparameterization()),
          problem.separableMatrices(x, 1 / x)
        ),
        (
          "separable", .reparameterized(SeparableReparameterization(curvatures: curvatures)),
          problem.separableMatrices(x, curvatures)
        ),
      ]
      for (name, estimator, matrices) in cases {
        let found = try problem.estimate(at: x, estimator)
        let expected = try problem.reparameterized(x, m: matrices.m, n: matrices.n)
        #expect(relativeError(found, expected) <= 1e-10, "\(name) at \(distance)")
        if distance == 0.5, !problem.isFirstOrderBlind {
          let plain = try problem.omega(x)
          #expect(relativeError(found, plain) > 1e-6, "\(name) does nothing")
        }
      }
    }
  }

  @Test("Ω − Ω₁ F₁⁻¹ F", arguments: ReferenceProblem.all)
  func linearized(_ problem: ReferenceProblem) throws {
    for distance in [0.5, 1e-2] {
      let x = try problem.point(off: distance)
      let found = try problem.estimate(at: x, .linearized)
      #expect(relativeError(found, try problem.linearized(x)) <= 1e-10)
    }
  }

  @Test("Plain and preconditioned estimates away from x*", arguments: ReferenceProblem.all)
  func preconditioned(_ problem: ReferenceProblem) throws {
    let x = try problem.point(off: 0.2)
    let (f, f1) = (problem.inner.f(x, problem.y), problem.inner.f1(x, problem.y))
    let frozen = 1.1 * (try problem.solution())
    let cases: [(Estimator, Tensor)] = [
      (.plain, x),
      (.preconditioned(IdentityStep(step: 0.2)), x - 0.2 * f),
      (.preconditioned(DiagonalStep(.exact, isSafe: false)), x - f / f1.diagonal()),
      (.preconditioned(NewtonStep()), x - (try solve(f1, f))),
      (
        .preconditioned(FrozenHessianStep(at: frozen)),
        x - (try solve(problem.inner.f1(frozen, problem.y), f))
      ),
    ]
    for (estimator, point) in cases {
      let found = try problem.layer(adjoint: DenseLU(tolerance: 1e-11)).hypergradient(
        at: problem.y, evaluatedAt: x, estimator: estimator, of: problem.loss)
      #expect(relativeError(found.gradient, try problem.omega(point)) <= 1e-11)
      #expect(relativeError(found.inner, point) <= 1e-12)
      let residual = problem.inner.f(point, problem.y).norm().scalar
      #expect(abs(found.record.inner.residual - residual) <= 1e-12 * f.norm().scalar)
      let value = problem.outer.value(point, problem.y).scalar
      #expect(abs(found.value.scalar - value) <= 1e-12 * max(1, abs(value)))
    }
  }

  @Test("Constants of the maps", arguments: ReferenceProblem.minima)
  func constants(_ problem: ReferenceProblem) throws {
    let x = try problem.solution()
    let (f1, p, y) = (problem.inner.f1(x, problem.y), try problem.adjoint(x), problem.y)
    let (omega1, j) = (try problem.omega1(x), try problem.jacobian(x))
    let sensitivity = problem.inner.diagonalSensitivity(y)
    func linear(_ inverse: (Tensor) throws -> Tensor) rethrows -> Tensor {
      // Ω₁ + (columns P⁻¹ ∂ₖP p)ᵀ F₁.
      omega1 + matmul(try inverse(column(p) * sensitivity), f1, transposeA: true)
    }
    func separable(_ curvatures: Tensor) -> Tensor {
      omega1 - matmul(j, column(curvatures * p) * f1, transposeA: true)
    }
    let curvatures = cos(Tensor.range(problem.inner.n))
    let newton =
      problem.outer.g21(x, y) + matmul(j, problem.outer.g11(x, y), transposeA: true)
    let cases: [(String, Estimator, Tensor)] = [
      (
        "diagonal", .reparameterized(DiagonalReparameterization()),
        linear { $0 / column(f1.diagonal()) }
      ),
      ("full", .reparameterized(FullReparameterization()), try linear { try solve(f1, $0) }),
      ("exponential", .reparameterized(ExponentialReparameterization()), separable(1 / x)),
      (
        "separable", .reparameterized(SeparableReparameterization(curvatures: curvatures)),
        separable(curvatures)
      ),
      ("Newton", .reparameterized(NewtonReparameterization()), newton),
      ("linearized", .linearized, Tensor.zeros(like: omega1)),
      ("Newton step", .preconditioned(NewtonStep()), Tensor.zeros(like: omega1)),
    ]
    let scale = try problem.lagrangian(x).l21.norm().scalar + newton.norm().scalar
    for (name, estimator, expected) in cases {
      let layer = problem.layer(adjoint: DenseLU(tolerance: 1e-11))
      let found = try layer.estimatorJacobian(
        at: y, evaluatedAt: x, estimator: estimator, of: problem.loss)
      #expect((found - expected).norm().scalar <= 1e-10 * scale, "\(name)")
      let constant = try layer.efficiencyConstant(
        at: y, evaluatedAt: x, estimator: estimator, of: problem.loss)
      let largest = try spectralNorm(expected)
      #expect(abs(constant - largest) <= 1e-9 * scale, "\(name)")
    }
  }

  @Test("C_y bounds the error for small errors, and is reached")
  func constantIsSharp() throws {
    for problem in [ReferenceProblem.logisticMixed, .nonSymmetricMixed] {
      let (x, exact) = (try problem.solution(), try problem.hypergradient())
      let omega1 = try problem.omega1(x)
      let constant = try problem.layer().efficiencyConstant(
        at: problem.y, evaluatedAt: x, estimator: .plain, of: problem.loss)
      let (_, vectors) = try symmetricEigen(matmul(omega1, omega1, transposeA: true))
      let worst = vectors[.all, problem.inner.n - 1]
      for (direction, isWorst) in [(problem.direction, false), (worst, true)] {
        let found = try problem.estimate(at: x + 1e-5 * direction, .plain)
        let ratio = (found - exact).norm().scalar / 1e-5 / constant
        #expect(ratio <= 1.001)
        if isWorst { #expect(ratio >= 0.999) }
      }
    }
  }

  @Test("Composition multiplies the gains", arguments: ReferenceProblem.firstOrderMinima)
  func composition(_ problem: ReferenceProblem) throws {
    let x = try problem.solution()
    let (f1, n) = (problem.inner.f1(x, problem.y), problem.inner.n)
    let curvatures = sin(Tensor.range(n))
    let map = SeparableReparameterization<Tensor>(curvatures: curvatures)
    let step = DiagonalStep(.exact, isSafe: false)
    let layer = problem.layer(adjoint: DenseLU(tolerance: 1e-11))
    func jacobian(_ estimator: Estimator) throws -> Tensor {
      try layer.estimatorJacobian(
        at: problem.y, evaluatedAt: x, estimator: estimator, of: problem.loss)
    }
    let rest = Tensor.identity(n) - f1 / column(f1.diagonal())
    let expected = matmul(try jacobian(.reparameterized(map)), rest)
    let found = try jacobian(.composed(step, map))
    #expect(relativeError(found, expected) <= 1e-10)
    // At a distance: the map's formula at the moved point.
    let away = try problem.point(off: 0.1)
    let moved =
      away - problem.inner.f(away, problem.y) / problem.inner.f1(away, problem.y).diagonal()
    let matrices = problem.separableMatrices(moved, curvatures)
    let estimate = try problem.estimate(at: away, .composed(step, map))
    let formula = try problem.reparameterized(moved, m: matrices.m, n: matrices.n)
    #expect(relativeError(estimate, formula) <= 1e-10)
  }

  @Test("The best curvatures minimise the constant", arguments: ReferenceProblem.firstOrderMinima)
  func bestCurvatures(_ problem: ReferenceProblem) throws {
    let (layer, x) = (problem.layer(), try problem.solution())
    let best = try layer.optimalCurvatures(at: problem.y, evaluatedAt: x, of: problem.loss)
    func size(_ curvatures: Tensor) throws -> Double {
      let map = SeparableReparameterization<Tensor>(curvatures: curvatures)
      return try layer.estimatorJacobian(
        at: problem.y, evaluatedAt: x, estimator: .reparameterized(map), of: problem.loss
      ).norm().scalar
    }
    let least = try size(best)
    let ratios = [Tensor.zeros(like: x), 1 / x, best + 0.1 * problem.direction]
    for other in ratios { #expect(least <= (try size(other)) * (1 + 1e-9)) }
  }

  @Test("Where the adjoint is 0 no curvature is better than none")
  func curvaturesOfNothing() throws {
    let problem = ReferenceProblem.logisticLinear
    let best = try problem.layer().optimalCurvatures(
      at: problem.y, evaluatedAt: try problem.solution()
    ) { _, y in y.sum() }
    #expect(best.scalars == [0, 0, 0, 0, 0])
  }

  @Test("Newton coordinates: order 2 for a minimum with a linear outer objective, else 1")
  func newtonCoordinates() throws {
    let estimator = Estimator.reparameterized(NewtonReparameterization())
    func slope(_ problem: ReferenceProblem) throws -> Double {
      try logarithmicSlope {
        let found = try problem.estimate(at: try problem.point(off: $0), estimator)
        return relativeError(found, try problem.hypergradient())
      }
    }
    let (linear, curved) = (try slope(.logisticLinear), try slope(.logisticLogistic))
    let nonSymmetric = try slope(.nonSymmetricLinear)
    #expect(abs(nonSymmetric - 1) <= 0.03, "\(nonSymmetric)")
    #expect(abs(linear - 2) <= 0.05, "\(linear)")
    #expect(abs(curved - 1) <= 0.03, "\(curved)")
  }

  private func spectralNorm(_ matrix: Tensor) throws -> Double {
    let gram = matmul(matrix, matrix, transposeB: true)
    return try symmetricEigenvalues(gram).max().scalar.squareRoot()
  }
}

extension ReferenceProblem {
  /// Whether p is 0 at the solution, so that all first-order terms vanish.
  var isFirstOrderBlind: Bool { description == "logistic, outer = inner" }

  static let firstOrderMinima = minima.filter { !$0.isFirstOrderBlind }
}
