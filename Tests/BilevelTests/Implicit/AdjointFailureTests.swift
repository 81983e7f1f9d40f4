import Autodiff
import Bilevel
import Solvers
import TestSupport
import Testing

/// Refused with the reason, or reported with the size of the error.
@Suite("Adjoint systems that are not solved")
struct AdjointFailureTests {
  private let problem: ConditionedQuadratic
  init() throws { problem = try ConditionedQuadratic() }

  @Test("An adjoint solver capped at 1 step throws, in every way of asking")
  func cappedAdjoint() throws {
    let layer = problem.layer(adjoint: ConjugateGradient(maximumIterations: 1))
    try problem.expectAdjoint(layer, .iterationLimit, "iteration limit after 1 iterations", "more")
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
    try problem.expectHonest(found)
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
    try problem.expectHonest(found)
  }

  @Test("A singular Hessian names its null direction")
  func singular() throws {
    let layer = AID<[String: Tensor], Tensor>(
      minimizing: { x, y in square((x["used"] ?? y) - y).sum() },
      startingAt: ["idle": Tensor([0]), "used": Tensor([0])], solver: NoSolver(), adjoint: DenseLU()
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
}
