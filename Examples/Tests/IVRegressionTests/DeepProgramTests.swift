import Foundation
import ProgramTestSupport
import Testing

@Suite("The deep program") struct DeepProgramTests {
  /// Settings for seconds, not for accuracy.
  private static let quick = ["--iterations", "3", "--inner-steps", "2", "--hidden", "8"]

  @Test("A file of one's own") func aFileOfOnesOwn() throws {
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
  @Test("Intervals on rows that nothing was learned from")
  func intervalsOnRowsThatNothingWasLearnedFrom() throws {
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

  /// Rows of y, x, z, the first by a rule.
  private func rows(_ count: Int, strength: Double, effect: Double) -> String {
    let lines = (0..<count).map { row -> String in
      let part = [0.618_034, 0.754_878, 0.569_840].map {
        (Double(row + 1) * $0).truncatingRemainder(dividingBy: 1) - 0.5
      }
      let x = strength * part[0] + part[1]
      return "\(effect * x - part[1] + 0.3 * part[2]),\(x),\(part[0])"
    }
    return (["y,x,z"] + lines).joined(separator: "\n")
  }

  @Test("Useless instruments withhold the intervals; a contradiction and few rows are said")
  func whatCannotBeClaimed() throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    func run(_ data: String, _ more: [String]) throws -> (json: [String: Any], output: String) {
      try workspace.write(data, to: "d.csv")
      let result = try ivRegression.run(
        [
          "deep", "--data", "d.csv", "--outcome", "y", "--endogenous", "x", "--instruments", "z",
          "--held-out", "0.5", "--json", "r.json",
        ] + Self.quick + more, in: workspace.url)
      #expect(result.status == 0, "\(result.errors)")
      return (try workspace.json("r.json"), result.output)
    }
    let (weak, text) = try run(rows(400, strength: 0.01, effect: 1), [])
    let intervals = try #require(weak["intervals"] as? [String: Any])
    #expect((intervals["reason"] as? String)?.contains("weak first stage of x") == true)
    #expect(intervals["averageEffects"] == nil)
    #expect(text.contains("Intervals are withheld: weak first stage of x"))
    #expect(text.contains("Few rows: n = 400, below 2,000"))
    #expect(text.contains("ridge 0.001 of the first head and 0.01 of the second"))
    #expect(text.contains("weight decay 0.0001"))
    // A penalty that leaves nothing of an effect of -2.
    let (strong, output) = try run(
      rows(2100, strength: 4, effect: -2), ["--second-ridge", "100"])
    let warnings = try #require(strong["warnings"] as? [String])
    #expect(warnings.contains { $0.hasPrefix("Contradiction: the average effect of x is") })
    #expect(output.contains("further apart than") && !output.contains("Few rows"))
    #expect(output.contains("ridge 0.001 of the first head and 100 of the second"))
  }

  @Test("The line of the plot lies in its band, because both are of the refitted head")
  func lineAndBandOfOneEstimator() throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    try workspace.write(rows(1200, strength: 4, effect: 2), to: "d.csv")
    // So few steps that the trained function is far from the refitted head.
    let result = try ivRegression.run(
      [
        "deep", "--data", "d.csv", "--outcome", "y", "--endogenous", "x", "--instruments", "z",
        "--held-out", "0.5", "--second-ridge", "1e-4",
      ] + Self.quick, in: workspace.url)
    #expect(result.status == 0, "\(result.errors)")
    let plot = try String(
      contentsOf: workspace.url.appending(path: "iv-regression-output/deep.svg"), encoding: .utf8)
    #expect(plot.contains("deep, refitted head") && plot.contains("simultaneous band"))
    /// The points of the first path of so many, drawn as lines or filled.
    func points(_ count: Int, _ mark: String) -> [[Double]] {
      let path =
        plot.split(separator: "<").map(String.init).first { path in
          path.hasPrefix("path") && path.contains(mark) && path.count { $0 == "L" } == count - 1
        } ?? ""
      let data = path.split(separator: "\"").map(String.init).first { $0.hasPrefix("M") } ?? ""
      let numbers = data.split { !"0123456789.-".contains($0) }.compactMap { Double($0) }
      return stride(from: 0, to: numbers.count - 1, by: 2).map { [numbers[$0], numbers[$0 + 1]] }
    }
    let (band, line) = (points(160, "fill-opacity=\"0.15\""), points(80, "fill=\"none\""))
    #expect(band.count == 160 && line.count == 80, "\(band.count), \(line.count)")
    for (index, point) in line.enumerated() where band.count == 160 {
      // The lower end runs back to the left.
      let ends = [band[index][1], band[159 - index][1]].sorted()
      #expect(ends[0] - 0.1 <= point[1] && point[1] <= ends[1] + 0.1)
    }
  }

  @Test("The same seed gives the same result") func theSameSeedGivesTheSameResult() throws {
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

  @Test(
    "Wrong options are explained",
    arguments: [
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

  @Test("Training that fails") func trainingThatFails() throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let result = try ivRegression.run(
      ["deep", "--learning-rate", "1e30", "--observations", "100"], in: workspace.url)
    #expect(result.status != 0 && result.status != -1)
    #expect(result.errors.contains("inner training left the finite numbers"), "\(result.errors)")
    let output = workspace.url.appending(path: "iv-regression-output").path
    #expect(try FileManager.default.contentsOfDirectory(atPath: output).isEmpty)
  }
}
