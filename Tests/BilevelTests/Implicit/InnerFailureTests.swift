import Autodiff
import Bilevel
import Solvers
import TestSupport
import Testing

/// Refused with the reason, or reported with the size of the error.
@Suite("Inner problems that are not solved")
struct InnerFailureTests {
  private let problem: ConditionedQuadratic
  init() throws { problem = try ConditionedQuadratic() }

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
      try problem.expectHonest(found)
    }
  }

  @Test("A saddle point is refused, with its curvature and the parameters")
  func indefinite() throws {
    let layer = AID<[String: Tensor], Tensor>(
      minimizing: { x, y in
        let (u, v) = (x["u"] ?? y, x["v"] ?? y)
        return square(u - y).sum() - square(v).sum() + 0.1 * (u * v).sum()
      }, startingAt: ["u": Tensor([0, 0]), "v": Tensor([0, 0])], solver: NoSolver()
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
}
