import ArgumentParser
import Autodiff
import Bilevel
import ExampleSupport
import Solvers

/// `benchmark certificate`: what it costs to know that a point is a solution.
struct CertificateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "certificate",
    abstract: "What the certificates of inner solutions cost, beside the solves.",
    discussion: """
      Logistic regression with one penalty per feature, float32, solved by L-BFGS and by Newton-CG: \
      20 × 3, W4 (2,000 × 200), and a simulated problem of the size given. Each is solved from zero, \
      from the solution of a problem with a penalty 1 % larger, and from its own solution. 'passes' \
      counts gradients and Hessian products of the whole solve, 'certificate' those of the last \
      certificate; 'stated' is the time with the stated tolerance 'relative: 1e-6' in its place.
      """)

  @Option(help: "Rows of the largest problem.")
  var rows = 20_000

  @Option(help: "Features of the largest problem.")
  var features = 1_000

  @OptionGroup var json: JSONOption

  func run() throws {
    let problems: [(String, LogisticWorkload)] = [
      ("20 × 3", .simulated(rows: 20, features: 3, seed: 1)), ("W4", .w4),
      ("\(rows) × \(features)", .simulated(rows: rows, features: features, seed: 1)),
    ]
    let solvers: [(String, (StoppingRule) -> any InnerSolver)] = [
      ("L-BFGS", { LBFGS(stopping: $0) }), ("Newton-CG", { NewtonCG(stopping: $0) }),
    ]
    try json.report([
      .init("problem", text: \.problem), .init("solver", text: \.solver),
      .init("start", text: \.start), .init("iterations") { "\($0.iterations)" },
      .init("passes") { "\($0.passes)" }, .init("certificate") { "\($0.certificate)" },
      .init("share") { "\(100 * $0.certificate / max(1, $0.passes)) %" },
      .init("error", .significant(2)) { $0.error },
      .init("seconds", .significant(2)) { $0.seconds },
      .init("stated", .significant(2), missing: "refused", \.stated),
    ]) {
      try problems.flatMap { problem in
        try solvers.flatMap { try lines(problem, $0) }
      }
    }
  }

  private func lines(
    _ problem: (name: String, inputs: LogisticWorkload),
    _ solver: (name: String, make: (StoppingRule) -> any InnerSolver)
  ) throws -> [Line] {
    let inputs = problem.inputs
    func layer(_ rule: StoppingRule) -> AID<Tensor, Tensor> {
      AID(minimizing: inputs.objective, startingAt: inputs.start, solver: solver.make(rule))
    }
    let λ = Tensor(repeating: -4, shape: inputs.start.shape, .float32)
    let (certified, stated) = (layer(StoppingRule()), layer(StoppingRule(relative: 1e-6)))
    let own = try certified.solution(at: λ).value
    let neighbour = try certified.solution(at: λ + 0.01).value
    return try [("zero", nil), ("neighbour", neighbour), ("solution", own)].map { start, point in
      let state = WarmStart<Tensor>()
      func time(_ layer: AID<Tensor, Tensor>) throws -> (Double, SolverStatus?) {
        var (best, status) = (Double.infinity, SolverStatus?.none)
        for _ in 0..<3 {
          state.inner = point
          let duration = try ContinuousClock().measure {
            status = try layer.solution(at: λ, warmStart: state).status
          }
          best = min(best, duration / .seconds(1))
        }
        return (best, status)
      }
      let (seconds, status) = try time(certified)
      return Line(
        problem: problem.name, solver: solver.name, start: start,
        iterations: status?.iterations ?? 0, passes: status?.evaluations ?? 0,
        certificate: status?.certificate?.products ?? 0,
        error: status?.certificate?.relativeError ?? .nan, seconds: seconds,
        // A stated tolerance may lie below what rounding allows.
        stated: try? time(stated).0)
    }
  }

  private struct Line: Encodable {
    let problem: String
    let solver: String
    let start: String
    let iterations: Int
    let passes: Int
    let certificate: Int
    let error: Double
    let seconds: Double
    let stated: Double?
  }
}
