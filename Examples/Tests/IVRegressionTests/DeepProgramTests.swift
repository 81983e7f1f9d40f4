import Foundation
import ProgramTestSupport
import Testing

@Suite struct DeepProgramTests {
  /// Settings for seconds, not for accuracy.
  private static let quick = ["--iterations", "3", "--inner-steps", "2", "--hidden", "8"]

  @Test func aFileOfOnesOwn() throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let rows = (0..<60).map { row -> String in
      let z = Double((row * 7) % 12)
      let x = z + Double(row % 3)
      return "\(row == 5 ? "" : "\(x * x)"),\(x),\(z),\(row % 2)"
    }
    try workspace.write("y,x,z,w\n" + rows.joined(separator: "\n"), to: "d.csv")
    let arguments = [
      "deep", "--data", "d.csv", "--outcome", "y", "--endogenous", "x", "--instruments", "z",
      "--exogenous", "w", "--json", "r.json",
    ]
    let result = try ivRegression.run(arguments + Self.quick, in: workspace.url)
    #expect(result.status == 0, "\(result.errors)")
    let json = try workspace.json("r.json")
    #expect(json["n"] as? Int == 59)
    #expect(json["droppedRows"] as? Int == 1)
    #expect((json["outerLosses"] as? [Double])?.count == 3)
    #expect((json["averageEffects"] as? [String: Any])?["x"] != nil)
    #expect(json["outOfSample"] == nil || json["outOfSample"] is NSNull)
    let intervals = try #require(json["intervals"] as? [String: Any])
    #expect(
      (intervals["reason"] as? String)?.contains("14 rows were kept from learning") == true)
    #expect(result.output.contains("1 dropped for missing values"))
    #expect(result.output.contains("Average change of y per unit"))
    #expect(result.errors.contains("deep: 3/3 (100 %)"))
  }

  /// An effect of 2, covered on rows that the features were not learned on.
  @Test func intervalsOnRowsThatNothingWasLearnedFrom() throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let rows = (0..<1200).map { row -> String in
      let part = [0.618_034, 0.754_878].map {
        (Double(row + 1) * $0).truncatingRemainder(dividingBy: 1) - 0.5
      }
      let x = 4 * part[0] + part[1]
      return "\(1 + 2 * x - part[1]),\(x),\(part[0])"
    }
    try workspace.write("y,x,z\n" + rows.joined(separator: "\n"), to: "d.csv")
    let result = try ivRegression.run(
      [
        "deep", "--data", "d.csv", "--outcome", "y", "--endogenous", "x", "--instruments", "z",
        "--held-out", "0.5", "--second-ridge", "1e-4", "--json", "r.json",
      ], in: workspace.url)
    #expect(result.status == 0, "\(result.errors)")
    let intervals = try #require(try workspace.json("r.json")["intervals"] as? [String: Any])
    #expect(intervals["rows"] as? Int == 600)
    let effects = intervals["averageEffects"] as? [String: [String: Double]]
    let effect = try #require(effects?["x"])
    #expect(abs((effect["value"] ?? 0) - 2) < 0.1)
    #expect((effect["lower"] ?? 3) < (effect["value"] ?? 0))
    #expect(result.output.contains("600 rows that they were not learned from"))
    let plot = try String(
      contentsOf: workspace.url.appending(path: "iv-regression-output/deep.svg"), encoding: .utf8)
    #expect(plot.contains("simultaneous band"))
  }

  @Test func theSameSeedGivesTheSameResult() throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let arguments = ["deep", "--observations", "200", "--seed", "5"] + Self.quick
    for name in ["a", "b"] {
      _ = try ivRegression.run(
        arguments + ["--output", name, "--json", "\(name).json"], in: workspace.url)
    }
    let first = try Data(contentsOf: workspace.url.appending(path: "a.json"))
    #expect(try first == Data(contentsOf: workspace.url.appending(path: "b.json")))
    #expect(!first.isEmpty)
  }

  @Test(arguments: [
    (["--iterations", "0"], "--iterations must be between 1 and 1000000, not 0"),
    (["--hidden", "8,x"], "--hidden must list widths between 1 and 16384"),
    (["--learning-rate=-1"], "--learning-rate must be a positive number"),
    (["--learning-rate", "nan"], "--learning-rate must be a positive number"),
    (["--observations", "99999999999"], "--observations must be between"),
    (["--hidden", "99999999999"], "--hidden must list widths between 1 and 16384"),
    (["--data", "d.csv", "--json", "./d.csv"], "--json names the data file"),
    (["--held-out", "0.3"], "--held-out is for files"),
    (["--correlation", "2"], "--correlation must be between -1 and 1"),
    (["--outcome", "y"], "columns are named but no file; add --data FILE"),
    (["--data", "missing.csv"], "--outcome and --endogenous must name columns"),
    (
      ["--data", "missing.csv", "--outcome", "y", "--endogenous", "x", "--instruments", "z"],
      "missing.csv"
    ),
    (["--output", "/dev/null/x"], "cannot be written"),
  ])
  func badOptions(arguments: [String], message: String) throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let result = try ivRegression.run(["deep"] + arguments, in: workspace.url)
    #expect(result.status != 0 && result.status != -1)
    #expect(result.errors.contains(message), "\(result.errors)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: workspace.url.path).isEmpty)
  }

  @Test func trainingThatFails() throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let result = try ivRegression.run(
      ["deep", "--learning-rate", "1e30", "--observations", "100"], in: workspace.url)
    #expect(result.status != 0 && result.status != -1)
    #expect(result.errors.contains("of the inner problem cannot be solved"), "\(result.errors)")
    let output = workspace.url.appending(path: "iv-regression-output").path
    #expect(try FileManager.default.contentsOfDirectory(atPath: output).isEmpty)
  }
}
