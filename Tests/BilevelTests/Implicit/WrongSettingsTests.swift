import Autodiff
import Bilevel
import Solvers
import TestSupport
import Testing

@Suite("Wrong settings of a layer")
struct WrongSettingsTests {
  private let problem: ConditionedQuadratic
  init() throws { problem = try ConditionedQuadratic() }

  @Test("Every method that applies")
  func right() throws {
    let tight = StoppingRule(relative: 1e-14, absolute: 1e-14)
    let layers: [(String, AID<Tensor, Tensor>)] = [
      ("CG", problem.layer()), ("LU", problem.layer(adjoint: DenseLU())),
      ("Cholesky", problem.layer(adjoint: DenseCholesky())),
      ("GMRES", problem.layer(adjoint: GMRES(tolerance: 1e-13))),
      ("MINRES", problem.layer(adjoint: MINRES(tolerance: 1e-13))),
      ("BiCGStab", problem.layer(adjoint: BiCGStab(tolerance: 1e-13))),
      ("normal CG", problem.layer(adjoint: NormalConjugateGradient(tolerance: 1e-13))),
      ("Neumann", problem.layer(adjoint: Neumann(tolerance: 1e-13, maximumIterations: 2000))),
      ("Newton", problem.layer(NewtonCG(stopping: tight))),
      (
        "opaque",
        problem.layer().solved { _, y in
          try solve(problem.h, matmul(problem.c, Tensor(y.scalars)) + problem.k)
        }
      ),
    ]
    for (name, layer) in layers {
      let error = try problem.error(layer)
      #expect(error < 1e-12, "\(name): \(error)")
    }
  }

  @Test("The defaults: the error is that of the inner tolerance, and a correction removes it")
  func defaults() throws {
    for (solver, bound) in [(LBFGS() as any InnerSolver, 1e-7), (NewtonCG(), 1e-13)] {
      var layer = AID(
        minimizing: { x, y in try problem.objective(x, y) }, from: Tensor.zeros([6]),
        solver: solver)
      let plain = try problem.error(layer)
      layer.correction = NewtonStep()
      let corrected = try problem.error(layer)
      #expect(plain < bound)
      #expect(corrected < 1e-13)
    }
  }

  @Test("An adjoint solver capped at 1 step throws, in every way of asking")
  func cappedAdjoint() throws {
    let layer = problem.layer(adjoint: ConjugateGradient(maximumIterations: 1))
    try expectAdjoint(layer, .iterationLimit, "iteration limit after 1 iterations", "more")
    let failure = #expect(throws: SolverError.self) {
      try layer.hypergradient(at: problem.y, of: problem.loss)
    }
    #expect(failure?.adjointStatus?.outcome == .iterationLimit)
    let forward = #expect(throws: SolverError.self) {
      try jvp(at: problem.y, along: problem.y) { y throws(SolverError) in
        try layer.solution(at: y).value
      }
    }
    #expect(forward?.adjointStatus?.outcome == .iterationLimit)
  }

  @Test("Reported, it comes with an estimate of the error", arguments: [1, 2, 3, 4, 5])
  func reportedAdjoint(cap: Int) throws {
    var layer = problem.layer(adjoint: ConjugateGradient(tolerance: 1e-13, maximumIterations: cap))
    layer.onFailure = .report
    let found = try layer.hypergradient(
      at: problem.y, errorEstimate: .newton, of: problem.loss)
    #expect(!found.record.isConverged)
    #expect(found.record.linearSolves.first?.outcome == .iterationLimit)
    try expectHonest(found)
  }

  @Test("An inner solver stopped early throws")
  func cappedInner() throws {
    for cap in [2, 5] {
      let layer = problem.layer(GradientDescent(step: .fixed(1), iterations: cap))
      let failure = #expect(throws: SolverError.self) { try layer.solution(at: problem.y) }
      #expect(failure?.innerStatus?.outcome == .iterationLimit)
      #expect(failure?.innerStatus?.history.count == cap + 1)
      let text = failure?.description ?? ""
      for part in ["inner problem: GradientDescent", "iteration limit after \(cap)", "residuals: "]
      {
        #expect(text.contains(part), "\(text)")
      }
    }
  }

  @Test("Reported, it comes with an estimate of the error", arguments: [1, 2, 5, 20, 100])
  func reportedInner(cap: Int) throws {
    var layer = problem.layer(GradientDescent(step: .fixed(1), iterations: cap))
    layer.onFailure = .report
    for estimate in [ErrorEstimate.newton, .conjugateGradient(iterations: 6)] {
      let found = try layer.hypergradient(
        at: problem.y, errorEstimate: estimate, of: problem.loss)
      #expect(!found.record.inner.isConverged)
      try expectHonest(found)
    }
  }

  @Test("A Newton step makes up for the inner solver")
  func correction() throws {
    var layer = problem.layer(
      GradientDescent(step: .fixed(1), iterations: 2), adjoint: DenseLU(tolerance: 1e-11))
    layer.onFailure = .report
    let found = try layer.hypergradient(
      at: problem.y, estimator: .preconditioned(NewtonStep()), of: problem.loss)
    #expect(relativeError(found.gradient, try problem.hypergradient()) < 1e-12)
    layer.correction = NewtonStep()
    let error = try problem.error(layer)
    #expect(error < 1e-12, "\(error)")
  }

  @Test("CG on a map that is not symmetric is refused, also where failures are reported")
  func notSymmetric() throws {
    var layer = problem.heavyBall(adjoint: ConjugateGradient(maximumIterations: 2000))
    for policy in [FailurePolicy.throw, .report] {
      layer.onFailure = policy
      let failure = #expect(throws: SolverError.self) {
        try layer.hypergradient(at: problem.y) { state, y in try problem.loss(state.elements.0, y) }
      }
      guard case .notSymmetric(let asymmetry) = failure?.adjointStatus?.outcome else {
        Issue.record("\(String(describing: failure))")
        return
      }
      #expect(asymmetry > 0.1)
      #expect(failure?.description.contains("Use GMRES") == true)
    }
  }

  @Test("Methods for maps that are not symmetric are exact on it")
  func heavyBall() throws {
    let solvers: [(String, any LinearSolver)] = [
      ("GMRES", GMRES(tolerance: 1e-13)), ("LU", DenseLU()),
      ("BiCGStab", BiCGStab(tolerance: 1e-13)),
      ("normal CG", NormalConjugateGradient(tolerance: 1e-13)),
      ("fixed point", Neumann(tolerance: 1e-13, maximumIterations: 2000)),
    ]
    for (name, solver) in solvers {
      let found = try problem.heavyBall(adjoint: solver).hypergradient(at: problem.y) { state, y in
        try problem.loss(state.elements.0, y)
      }
      let error = relativeError(found.gradient, try problem.hypergradient())
      #expect(error < 1e-11, "\(name): \(error)")
    }
  }

  @Test("A Neumann step above 2/L is refused with an admissible one", arguments: [10, 100, 1000])
  func neumann(iterations: Int) throws {
    var layer = problem.layer(
      adjoint: Neumann(tolerance: 1e-12, maximumIterations: iterations, step: 2.5))
    for policy in [FailurePolicy.throw, .report] {
      layer.onFailure = policy
      let failure = #expect(throws: SolverError.self) {
        try layer.hypergradient(at: problem.y, of: problem.loss)
      }
      guard case .notContractive(let radius, let step?) = failure?.adjointStatus?.outcome else {
        Issue.record("\(String(describing: failure))")
        return
      }
      #expect(abs(radius - 1.5) < 0.05)
      #expect(step > 0 && step < 2)
    }
  }

  @Test("Neumann with too few terms is reported with its error", arguments: [1, 10])
  func shortNeumann(terms: Int) throws {
    var layer = problem.layer(
      adjoint: Neumann(tolerance: 1e-12, maximumIterations: terms, step: 1))
    layer.onFailure = .report
    let found = try layer.hypergradient(at: problem.y, errorEstimate: .newton, of: problem.loss)
    #expect(!found.record.isConverged)
    try expectHonest(found)
  }

  @Test("A saddle point is refused, with its curvature and the parameters")
  func indefinite() throws {
    let layer = AID<[String: Tensor], Tensor>(
      minimizing: { x, y in
        let (u, v) = (x["u"] ?? y, x["v"] ?? y)
        return square(u - y).sum() - square(v).sum() + 0.1 * (u * v).sum()
      }, from: ["u": Tensor([0, 0]), "v": Tensor([0, 0])], solver: NoSolver()
    ).solved { _, y in
      // ∂u: 2(u − y) + 0.1 v = 0, ∂v: −2v + 0.1 u = 0.
      let u = Tensor(y.scalars) * (2 / 2.005)
      return ["u": u, "v": 0.05 * u]
    }
    let y = Tensor([1, 2])
    let failure = #expect(throws: SolverError.self) {
      try layer.hypergradient(at: y) { x, y in
        square((x["v"] ?? y) - 1).sum()
      }
    }
    guard case .unsolved(let status, of: .inner) = failure,
      case .indefinite(let curvature, let blocks) = status.outcome
    else {
      Issue.record("\(String(describing: failure))")
      return
    }
    #expect(curvature < 0)
    #expect(blocks.first?.name == "v")
    #expect(failure?.description.contains("along a direction in v") == true)
  }

  @Test("A singular Hessian names its null direction")
  func singular() throws {
    let layer = AID<[String: Tensor], Tensor>(
      minimizing: { x, y in square((x["used"] ?? y) - y).sum() },
      from: ["idle": Tensor([0]), "used": Tensor([0])], solver: NoSolver(), adjoint: DenseLU()
    ).solved { _, y in ["idle": Tensor([0]), "used": y] }
    let failure = #expect(throws: SolverError.self) {
      try layer.hypergradient(at: Tensor([1])) { x, y in (x["used"] ?? y).sum() }
    }
    guard case .unsolved(let status, of: .inner) = failure,
      case .singular(let blocks) = status.outcome
    else {
      Issue.record("\(String(describing: failure))")
      return
    }
    #expect(blocks.map(\.name) == ["idle"])
  }

  @Test("The identity for the inverse throws, and reported, says by how much it is off")
  func identityInverse() throws {
    var layer = problem.layer(adjoint: IdentityInverse())
    try expectAdjoint(layer, .inaccurate, "IdentityInverse (approximate)")
    layer.onFailure = .report
    let found = try layer.hypergradient(at: problem.y, errorEstimate: .newton, of: problem.loss)
    #expect(!found.record.isConverged)
    try expectHonest(found)
    let x = try solve(problem.h, matmul(problem.c, problem.y) + problem.k)
    let expected = matmul(problem.c, x - problem.target, transposeA: true) + 0.1 * problem.y
    #expect(relativeError(found.gradient, expected) < 1e-12)
  }

  @Test("Inner solvers that diverge or leave the domain throw")
  func divergence() throws {
    let layer = problem.layer(GradientDescent(step: .fixed(2.5), iterations: 5000))
    let failure = #expect(throws: SolverError.self) { try layer.solution(at: problem.y) }
    #expect(failure?.innerStatus?.isConverged == false)
    var reporting = layer
    reporting.onFailure = .report
    let status = try reporting.solution(at: problem.y).status
    #expect(!status.isConverged)
  }

  // MARK: -

  /// The estimate is within a factor of 10 of the true error.
  private func expectHonest(
    _ found: Hypergradient<Tensor, Tensor>, _ location: SourceLocation = #_sourceLocation
  ) throws {
    let truth = relativeError(found.gradient, try problem.hypergradient())
    let estimate = try #require(found.record.estimatedRelativeError)
    #expect((0.1...10).contains(estimate / truth), "\(estimate) for \(truth)")
    #expect(truth > 1e-9, "nothing was wrong")
  }

  private func expectAdjoint(
    _ layer: AID<Tensor, Tensor>, _ outcome: SolverStatus.Outcome, _ parts: String...
  ) throws {
    let failure = #expect(throws: SolverError.self) { try problem.error(layer) }
    #expect(failure?.adjointStatus?.outcome == outcome)
    let text = failure?.description ?? ""
    for part in ["adjoint system"] + parts { #expect(text.contains(part), "\(text)") }
  }
}

extension SolverError {
  var adjointStatus: SolverStatus? {
    if case .unsolved(let status, of: .adjoint) = self { return status }
    return nil
  }
  var innerStatus: SolverStatus? {
    if case .unsolved(let status, of: .inner) = self { return status }
    return nil
  }
}
