import Foundation
import ProgramTestSupport
import Testing

@Suite("Estimates") struct EstimateTests {
  @Test("Logs then estimates") func logsThenEstimates() throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let log = try policyEvaluation.run(
      ["log", "--process", "sine", "--trajectories", "800", "--output", "t.csv"],
      in: workspace.url)
    #expect(log.status == 0, "\(log.errors)")
    #expect(log.output.hasPrefix("Wrote 800 transitions of 800 trajectories"))
    let arguments = [
      "estimate", "--data", "t.csv", "--state", "state", "--trajectory", "trajectory",
      "--terminal", "terminal", "--policy", "proportional", "--nuisances", "polynomial",
      "--nuisance-degree", "5", "--json", "r.json",
    ]
    let run = try policyEvaluation.run(arguments, in: workspace.url)
    #expect(run.status == 0, "\(run.errors)")
    for text in [
      "Value of the policy", "Bellman error", "What the interval covers", "residual gradient",
      "LSTD",
    ] {
      #expect(run.output.contains(text))
    }
    let report = try workspace.json("r.json")
    let methods = try #require(report["methods"] as? [[String: Any]])
    #expect(methods.count == 4)
    let interval = try #require(methods[0]["interval"] as? [Double])
    // 0.5 exp(−1/2) + 0.8 exp(−1/8), within four standard errors: one sample in 20 is outside two.
    let center = 0.5 * (interval[0] + interval[1])
    #expect(abs(center - 1.009263) < interval[1] - interval[0], "\(interval)")
    let residual = try #require(methods[2]["interval"] as? [Double])
    #expect(residual[1] < 1.009263, "\(residual)")
    for file in ["values.csv", "values.svg"] {
      let path = workspace.url.appending(path: "policy-evaluation-output/\(file)").path
      #expect(FileManager.default.fileExists(atPath: path))
    }
    let again = try policyEvaluation.run(arguments, in: workspace.url)
    #expect(again.output.hasPrefix(run.output.dropLast()))
    #expect(again.output.hasSuffix(" in place of earlier ones\n"))
  }

  /// Actions in columns of the file give what the policy of the program gives.
  @Test("Recorded actions") func recordedActions() throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    var (plain, recorded) = ("s,action,reward,next_s,id\n", "s,action,reward,next_s,id,b,c\n")
    for row in 0..<120 {
      let s = Double((row * 37) % 101) / 50 - 1
      let a = Double((row * 53) % 97) / 48 - 1
      let next = 0.7 * s + 0.4 * a + Double((row * 29) % 89) / 100 - 0.44
      let line = "\(s),\(a),\(s - a),\(next),\(row)"
      plain += line + "\n"
      recorded += line + ",\(-0.5 * next),\(-0.5 * s)\n"
    }
    try workspace.write(plain, to: "plain.csv")
    try workspace.write(recorded, to: "recorded.csv")
    let common = [
      "--state", "s", "--trajectory", "id", "--features", "polynomial", "--degree", "1",
      "--nuisances", "polynomial", "--nuisance-degree", "2", "--discount", "0.9",
    ]
    let policy = try policyEvaluation.run(
      ["estimate", "--data", "plain.csv", "--policy", "proportional", "--json", "a.json"] + common,
      in: workspace.url)
    #expect(policy.status == 0, "\(policy.errors)")
    let columns = try policyEvaluation.run(
      [
        "estimate", "--data", "recorded.csv", "--next-action", "b", "--initial-action", "c",
        "--json", "b.json",
      ] + common, in: workspace.url)
    #expect(columns.status == 0, "\(columns.errors)")
    let values = try ["a.json", "b.json"].map { name in
      let methods = try #require(try workspace.json(name)["methods"] as? [[String: Any]])
      return try #require(methods[0]["interval"] as? [Double])
    }
    #expect(abs(values[0][0] - values[1][0]) < 1e-9 && abs(values[0][1] - values[1][1]) < 1e-9)
  }

  @Test("Numbered states and actions") func numberedStatesAndActions() throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    // State 0 earns 1 by action 0 and stays; action 1 ends everything with 3.
    var text = "s,action,reward,next_s,terminal,id,b,c\n"
    for id in 0..<40 { text += "0,0,1,0,0,\(id),0,0\n0,1,3,,1,\(id),,0\n" }
    try workspace.write(text, to: "t.csv")
    let run = try policyEvaluation.run(
      [
        "estimate", "--data", "t.csv", "--state", "s", "--action-count", "2", "--terminal",
        "terminal", "--trajectory", "id", "--next-action", "b", "--initial-action", "c",
        "--features", "tabular", "--discount", "0.75", "--json", "r.json",
      ], in: workspace.url)
    #expect(run.status == 0, "\(run.errors)")
    let methods = try #require(try workspace.json("r.json")["methods"] as? [[String: Any]])
    for method in methods {
      let value = try #require(method["value"] as? Double)
      #expect(abs(value - 4) < 1e-4, "\(method)")
    }
  }

  @Test("Studies count how often intervals cover") func studiesCount() throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let arguments = [
      "study", "--replications", "6", "--trajectories", "150", "--nuisances", "polynomial",
      "--json", "s.json",
    ]
    let run = try policyEvaluation.run(arguments, in: workspace.url)
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.output.contains("6 replications of 150 transitions"))
    #expect(run.output.contains(/\nseed 1, .* threads?/))
    let lines = try #require(try workspace.json("s.json")["lines"] as? [[String: Any]])
    #expect(lines.count == 4)
    let again = try policyEvaluation.run(arguments, in: workspace.url)
    #expect(again.output.hasPrefix(run.output.dropLast()))
    #expect(again.output.hasSuffix(" in place of earlier ones\n"))
  }
}
