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

  @Option(help: ArgumentHelp("Write the results as JSON to this file.", valueName: "file"))
  var json: String?

  func run() throws {
    print("\(LinearAlgebraBackend.description)")
    let problems: [(String, LogisticWorkload)] = [
      ("20 × 3", .simulated(rows: 20, features: 3, seed: 1)), ("W4", .w4),
      ("\(rows) × \(features)", .simulated(rows: rows, features: features, seed: 1)),
    ]
    var table = TextTable(header: [
      "problem", "solver", "start", "iterations", "passes", "certificate", "share", "error",
      "seconds", "stated",
    ])
    var lines: [Line] = []
    for (name, problem) in problems {
      for solver in Solver.allCases {
        for line in try solver.lines(name, problem) {
          lines.append(line)
          table.append(line.cells)
        }
      }
    }
    print(table.text())
    if let json { try writeJSON(lines, to: json) }
  }

  private enum Solver: String, CaseIterable {
    case lbfgs = "L-BFGS"
    case newton = "Newton-CG"

    private func layer(
      _ problem: LogisticWorkload, _ rule: StoppingRule
    ) -> AID<Tensor, Tensor> {
      let solver: any InnerSolver =
        switch self {
        case .lbfgs: LBFGS(stopping: rule)
        case .newton: NewtonCG(stopping: rule)
        }
      return AID(minimizing: problem.objective, from: problem.start, solver: solver)
    }

    func lines(_ name: String, _ problem: LogisticWorkload) throws -> [Line] {
      let λ = Tensor(repeating: -4, shape: problem.start.shape, .float32)
      let certified = layer(problem, StoppingRule())
      let stated = layer(problem, StoppingRule(relative: 1e-6))
      let own = try certified.solution(at: λ).value
      let neighbour = try certified.solution(at: λ + 0.01).value
      return try [("zero", nil), ("neighbour", neighbour), ("solution", own)].map { start, point in
        let state = WarmStart<Tensor>()
        let clock = ContinuousClock()
        func time(_ layer: AID<Tensor, Tensor>) throws -> (Double, SolverStatus?) {
          var (best, status) = (Double.infinity, SolverStatus?.none)
          for _ in 0..<3 {
            state.inner = point
            let duration = try clock.measure {
              status = try layer.solution(at: λ, warmStart: state).status
            }
            best = min(best, duration / .seconds(1))
          }
          return (best, status)
        }
        let (seconds, status) = try time(certified)
        // A stated tolerance may lie below what rounding allows.
        let reference = try? time(stated).0
        return Line(
          problem: name, solver: rawValue, start: start, iterations: status?.iterations ?? 0,
          passes: status?.evaluations ?? 0, certificate: status?.certificate?.products ?? 0,
          error: status?.certificate?.relativeError ?? .nan, seconds: seconds, stated: reference)
      }
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

    var cells: [String] {
      [
        problem, solver, start, "\(iterations)", "\(passes)", "\(certificate)",
        "\(100 * certificate / max(1, passes)) %", Numbers.significant(error, digits: 2),
        Numbers.significant(seconds, digits: 2),
        stated.map { Numbers.significant($0, digits: 2) } ?? "refused",
      ]
    }
  }
}
