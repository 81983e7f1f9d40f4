import Foundation
import ProgramTestSupport
import Testing

/// What must not change the course of a run, and what ends one.
@Suite("Robustness of tuning") struct TuneRobustnessTests {
  private func results(
    _ arguments: [String], in workspace: Workspace
  ) throws -> (output: String, results: [[String: Any]]) {
    let run = try hypergradient.run(
      ["tune", "--json", "report.json"] + arguments, in: workspace.url)
    #expect(run.status == 0, "\(run.errors)")
    let report = try workspace.json("report.json")
    return (run.output, try #require(report["results"] as? [[String: Any]]))
  }

  /// Forty rows of three features and a label in a unit.
  private func table(unit: Double) -> String {
    let rows = (0..<40).map { i in
      let (a, b, c) = (Double(i * 7 % 11), Double(i * i % 13), Double(i * 5 % 17))
      let noise = Double(i * i * i % 19) - 9
      return "\(unit * (3 * a - b + 0.05 * c + noise)),\(a),\(b),\(c)\n"
    }
    return "y,a,b,c\n" + rows.joined()
  }

  @Test("Unit of the label changes nothing", arguments: ["spectral", "adam"])
  func unitOfTheLabelChangesNothing(optimizer: String) throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    var all: [[(iterations: Int, scaledLoss: Double)]] = []
    for unit in [1, 1e5, 1e-5] {
      try workspace.write(table(unit: unit), to: "d.csv")
      let found = try results(
        ["--data", "d.csv", "--methods", "newton,cg5", "--optimizer", optimizer], in: workspace)
      all.append(
        try found.results.map { result in
          let losses = try #require(result["losses"] as? [String: Any])
          let loss = try #require(losses["validation"] as? Double)
          return (try #require(result["iterations"] as? Int), loss / (unit * unit))
        })
    }
    for other in all.dropFirst() {
      for (first, second) in zip(all[0], other) {
        #expect(first.iterations > 5)
        #expect(abs(first.iterations - second.iterations) <= 2)
        #expect(abs(first.scaledLoss - second.scaledLoss) <= 1e-8 * first.scaledLoss)
      }
    }
  }

  /// With steps of any length these go round in circles for a thousand iterations.
  @Test("Inexact inner solutions do not cycle", arguments: ["1", "3", "6"])
  func inexactInnerSolutionsDoNotCycle(seed: String) throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let found = try results(
      ["--loss", "logistic", "--simulate", "400x6", "--data-seed", seed, "--methods", "aid,itd"],
      in: workspace)
    let implicit = try #require(found.results.first { $0["method"] as? String == "aid" })
    #expect(implicit["converged"] as? Bool == true)
    #expect(abs(try #require(implicit["gap"] as? Double)) < 1e-6)
    #expect(found.output.contains("to its own stationary point"))
  }

  @Test("Bad ends are called so") func badEndsAreCalledSo() throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let found = try results(
      ["--methods", "newton", "--bounds", "8,9", "--start", "8.5"], in: workspace)
    #expect(
      found.output.contains("Warning: newton ends with a larger validation loss than no penalty"))
  }

  @Test("Interrupted runs can go on") func interruptedRunsCanGoOn() throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let options = [
      "tune", "--methods", "newton", "--tolerance", "1e-300", "--optimizer", "gradient",
      "--iterations", "1000000", "--checkpoint-interval", "0", "--output", "my output",
    ]
    let state = workspace.url.appending(path: "my output/tune-state.jsonl")
    let result = try hypergradient.run(options, in: workspace.url, interruptedBy: state)
    #expect(result.status > 0)
    #expect(result.errors.contains("interrupted; the state is in my output/tune-state.jsonl"))
    #expect(result.errors.contains("'my output' --resume 'my output/tune-state.jsonl'"))
    let run = try #require(
      try workspace.records("my output/tune-state.jsonl").last {
        $0["method"] as? String == "exact"
      })
    let steps = try #require(run["steps"] as? [Any])
    let rest =
      options + ["--resume", "my output/tune-state.jsonl", "--iterations", "\(steps.count + 1)"]
    let resumed = try hypergradient.run(rest, in: workspace.url)
    #expect(resumed.status == 0, "\(resumed.errors)")
    #expect(resumed.output.contains("(my output/tune-state.jsonl in place of an earlier one)"))
  }

  @Test("Output is checked first") func outputIsCheckedFirst() throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    try workspace.write("", to: "taken")
    for command in ["ridge", "tune"] {
      for place in [["--output", "taken"], ["--json", "nowhere/r.json"]] {
        let result = try hypergradient.run([command] + place, in: workspace.url)
        #expect(result.status > 0)
        #expect(result.errors.contains("cannot be written"))
        // Nothing was computed.
        #expect(!result.errors.contains("%"))
      }
    }
  }
}
