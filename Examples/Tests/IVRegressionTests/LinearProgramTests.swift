import Foundation
import ProgramTestSupport
import Testing

@Suite("The linear program") struct LinearProgramTests {
  private func number(_ object: [String: Any], _ path: String...) -> Double? {
    var value: Any? = object
    for key in path { value = (value as? [String: Any])?[key] }
    return value as? Double
  }

  private func isClose(_ value: Double?, _ reference: Double) -> Bool {
    value.map { abs($0 - reference) <= 1e-6 * abs(reference) } ?? false
  }

  /// Card (1995), reference values from linearmodels 7.1.
  @Test(
    "Card without options",
    arguments: [
      (["linear"], 0.054817390), (["linear", "--covariance", "robust"], 0.053999521),
    ])
  func cardWithoutOptions(arguments: [String], standardError: Double) throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let result = try ivRegression.run(arguments + ["--json", "result.json"], in: workspace.url)
    #expect(result.status == 0, "\(result.errors)")

    let json = try workspace.json("result.json")
    #expect(json["n"] as? Int == 3010)
    #expect(json["droppedRows"] as? Int == 0)
    #expect(isClose(number(json, "parameters", "educ"), 0.131503775))
    #expect(isClose(number(json, "standardErrors", "educ"), standardError))
    #expect(isClose(number(json, "parameters", "const"), 3.6661519))
    let interval = (json["confidenceIntervals"] as? [String: [Double]])?["educ"]
    #expect(isClose(interval?.first, 0.131503775 - 1.959963985 * standardError))
    #expect(isClose(interval?.last, 0.131503775 + 1.959963985 * standardError))
    #expect(isClose(number(json, "firstStage", "educ", "partialRSquared"), 0.004407934102326))
    #expect(isClose(number(json, "diagnostics", "wuHausman", "statistic"), 1.167643196751))
    let sargan = (json["diagnostics"] as? [String: Any])?["sargan"] as? [String: Any]
    #expect((sargan?["reason"] as? String)?.contains("just identified") == true)

    // The orthogonal interval beside it; an independent reference is in EconometricsTests.
    let stage = try #require(json["nonparametricFirstStage"] as? [String: Any])
    #expect(number(stage, "parameters", "educ") != nil)
    let range = (stage["confidenceIntervals"] as? [String: [Double]])?["educ"] ?? []
    #expect(range.count == 2 && range[0] < range[1])
    #expect(stage["reason"] == nil || stage["reason"] is NSNull)

    for text in [
      "With a nonparametric first stage", "Identification by functional form", "n = 3,010",
      "educ *", "0.1315", "partial F(1, 2994)", "Wu–Hausman",
      "Sargan: not available", "One more year of schooling",
    ] {
      #expect(result.output.contains(text), "\(text)")
    }
    let files = try FileManager.default.contentsOfDirectory(
      atPath: workspace.url.appending(path: "iv-regression-output").path)
    #expect(files.sorted() == ["linear-coefficients.csv", "linear.svg"])
    // Progress stays out of the results, and is plain where there is no terminal.
    #expect(result.errors.contains("linear: 4/4 (100 %)"))
    #expect(!result.errors.contains("\r"))
  }

  @Test("The program alone runs everything") func theProgramAloneRunsEverything() throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let result = try ivRegression.run(
      ["--json", "all.json", "--output", "out/put", "--seed", "3"], in: workspace.url)
    #expect(result.status == 0, "\(result.errors)")
    let linear = try #require(try workspace.json("all.json")["linear"] as? [String: Any])
    #expect(isClose(number(linear, "parameters", "educ"), 0.131503775))
    let deep = try #require(try workspace.json("all.json")["deep"] as? [String: Any])
    #expect(deep["n"] as? Int == 10_000)
    // By a wide margin: less than half the error of linear 2SLS, a quarter of the naive network's.
    let error = try #require(number(deep, "outOfSample", "deep"))
    let linearError = number(deep, "outOfSample", "linearTwoStageLeastSquares") ?? .nan
    let naiveError = number(deep, "outOfSample", "naiveNetwork") ?? .nan
    #expect(error < 0.5 * linearError)
    #expect(error < 0.25 * naiveError)
    for name in ["linear.svg", "linear-coefficients.csv", "deep.svg", "deep-losses.csv"] {
      let path = workspace.url.appending(path: "out/put/\(name)").path
      #expect(FileManager.default.fileExists(atPath: path))
    }
  }

  @Test("The same run gives the same bytes") func theSameRunGivesTheSameBytes() throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    for output in ["a", "b"] {
      _ = try ivRegression.run(
        ["linear", "--output", output, "--json", "\(output).json"], in: workspace.url)
    }
    for (a, b) in [("a.json", "b.json"), ("a/linear.svg", "b/linear.svg")] {
      let first = try Data(contentsOf: workspace.url.appending(path: a))
      #expect(try first == Data(contentsOf: workspace.url.appending(path: b)))
    }
  }

  @Test("Another file with missing values") func anotherFileWithMissingValues() throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    // y = 1 + 2 x without error: the estimate is exact, and statistics about errors say why not.
    let rows = (0..<12).map { row -> String in
      let x = Double((row * 5) % 12)
      return
        "\(row == 3 ? "NA" : "\(1 + 2 * x)"),\(x),\(row == 7 ? "" : "\((row * 7) % 12)"),,t\(row)"
    }
    try workspace.write(
      "\u{FEFF}\"the, outcome\",x,z,unused,text\r\n" + rows.joined(separator: "\r\n"), to: "d.csv")
    // A name with a comma cannot be written in a list of names, but is a fine outcome.
    let result = try ivRegression.run(
      [
        "linear", "--data", "d.csv", "--outcome", "the, outcome", "--endogenous", " x ",
        "--instruments", "z", "--json", "r.json",
      ], in: workspace.url)
    #expect(result.status == 0, "\(result.errors)")
    let json = try workspace.json("r.json")
    #expect(json["n"] as? Int == 10)
    #expect(json["droppedRows"] as? Int == 2)
    #expect(isClose(number(json, "parameters", "x"), 2))
    #expect(isClose(number(json, "parameters", "const"), 1))
    #expect(result.output.contains("2 dropped for missing values"))
    let stage = try #require(json["nonparametricFirstStage"] as? [String: Any])
    #expect((stage["reason"] as? String)?.contains("100 to 20,000 rows, found 10") == true)
    #expect(result.output.contains("One unit more of x changes the, outcome by 2.000"))
  }

  /// y = x + e, where the instrument moves x by `strength`.
  private func instrumented(rows: Int, strength: Double) -> String {
    let lines = (0..<rows).map { row -> String in
      // Three sequences that are spread evenly and move apart from each other.
      let part = [0.618_034, 0.754_878, 0.569_840].map {
        (Double(row + 1) * $0).truncatingRemainder(dividingBy: 1) - 0.5
      }
      let x = strength * part[0] + part[1]
      return "\(x - part[1] + 0.3 * part[2]),\(x),\(part[0])"
    }
    return lines.joined(separator: "\n")
  }

  /// The nonparametric first stage on rows, and what is printed.
  private func nonparametric(
    _ rows: String, _ more: [String] = []
  ) throws -> (stage: [String: Any], output: String) {
    let workspace = try Workspace()
    defer { workspace.remove() }
    try workspace.write("y,x,z\n" + rows + "\n", to: "d.csv")
    let result = try ivRegression.run(
      [
        "linear", "--data", "d.csv", "--outcome", "y", "--endogenous", "x", "--instruments", "z",
        "--json", "r.json",
      ] + more, in: workspace.url)
    #expect(result.status == 0, "\(result.errors)")
    let stage = try workspace.json("r.json")["nonparametricFirstStage"] as? [String: Any]
    return (try #require(stage), result.output)
  }

  @Test("Copied rows have no cross-fitted interval") func copiedRowsHaveNoCrossFittedInterval()
    throws
  {
    let rows = instrumented(rows: 120, strength: 3)
    let (stage, output) = try nonparametric(rows + "\n" + rows)
    #expect((stage["reason"] as? String)?.hasPrefix("120 rows repeat another one") == true)
    #expect(stage["parameters"] is [String: Double] == false)
    #expect(output.contains("Not available: 120 rows repeat"))
    let (without, _) = try nonparametric(rows, ["--no-constant"])
    #expect((without["reason"] as? String)?.contains("omit --no-constant") == true)
  }

  @Test("A weak first stage has no interval") func aWeakFirstStageHasNoInterval() throws {
    let (strong, text) = try nonparametric(instrumented(rows: 120, strength: 3))
    #expect(strong["confidenceIntervals"] is [String: [Double]])
    #expect(text.contains("5 folds, 5 splits"), "\(text)")
    // Beside the seed, the library and its threads.
    let words = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    #expect(words.contains(/seed 1, (built-in kernels|.*\(lib).* threads?/), "\(words)")
    let (weak, output) = try nonparametric(instrumented(rows: 120, strength: 0))
    #expect(weak["parameters"] is [String: Double])
    #expect(weak["confidenceIntervals"] is [String: [Double]] == false)
    #expect(output.contains("withheld: weak first stage"))
    #expect(output.contains("Weak first stage"))
    #expect(output.contains("Withheld: weak first stage of x: partial F ="))
  }

  /// Runs on rows of y, x, z and returns the JSON and what is printed.
  private func linear(
    _ rows: [[Double]], _ more: [String] = []
  ) throws -> (json: [String: Any], output: String) {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let lines = rows.map { $0.map { "\($0)" }.joined(separator: ",") }
    let names = ["y", "x", "z", "w"].prefix(rows[0].count).joined(separator: ",")
    try workspace.write(([names] + lines).joined(separator: "\n"), to: "d.csv")
    let result = try ivRegression.run(
      [
        "linear", "--data", "d.csv", "--outcome", "y", "--endogenous", "x", "--instruments", "z",
        "--json", "r.json",
      ] + more, in: workspace.url)
    #expect(result.status == 0, "\(result.errors)")
    return (try workspace.json("r.json"), result.output)
  }

  @Test("A constant outcome has no z statistic, and the table says why")
  func constantOutcome() throws {
    let pairs = [
      (0.3, 0.3), (1.3, 0.8), (-0.4, 0.3), (-1.5, -1.3), (0.4, 0.9), (1, 0.4), (-0.5, -0.5),
      (0.3, 0.6), (-0.4, 0.4), (0, 0.3),
    ]
    for covariance in ["unadjusted", "robust"] {
      let (json, output) = try linear(
        pairs.map { [5, $0.0, $0.1] }, ["--covariance", covariance])
      for key in ["standardErrors", "zStatistics", "pValues", "confidenceIntervals"] {
        let values = try #require(json[key] as? [String: Any])
        #expect(values["x"] is NSNull && values["const"] is NSNull, "\(key)")
      }
      #expect((json["unavailable"] as? [String: String])?["x"]?.contains("does not vary") == true)
      #expect(output.contains("Withheld: the outcome does not vary"))
      #expect(output.contains("y does not vary, so there is no effect to speak of"))
      #expect(!output.contains("One unit more"))
    }
  }

  @Test("A robust F does not rest on one row; the homoskedastic one is shown in its place")
  func leverage() throws {
    let rows = (0..<30).map { row -> [Double] in
      let isSingle = row == 12
      let x = Double((row * 7) % 11) + (isSingle ? 40 : 0)
      return [Double((row * 5) % 7), x, isSingle ? 1 : 0]
    }
    let (json, output) = try linear(rows, ["--covariance", "robust"])
    let stage = (json["firstStage"] as? [String: [String: Any]])?["x"]
    #expect(stage?["partialF"] == nil && stage?["homoskedasticF"] is Double)
    #expect((stage?["reason"] as? String)?.contains("leverage near 1") == true)
    #expect(output.contains("x: partial F not available: the first stage of x rests on row 13"))
    #expect(output.contains("For errors of equal variance it is"))
  }

  @Test("Results can go to standard output") func resultsCanGoToStandardOutput() throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let result = try ivRegression.run(["linear", "--json", "/dev/stdout"], in: workspace.url)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.contains("\"parameters\" : {"))
  }
}
