import Foundation
import ProgramTestSupport
import Testing

@Suite("The estimate program") struct EstimateProgramTests {
  /// A treatment with an effect of 2, moved by an instrument, on rows without repetition.
  private static func data(
    rows: Int = 240, outcome: (_ row: Int, _ y: Double) -> String = { "\($1)" }
  ) -> String {
    var lines = ["y,t,z,w,firm"]
    for row in 0..<rows {
      // Three sequences that are spread evenly and move apart from each other.
      let part = [0.618_034, 0.754_878, 0.569_840].map {
        (Double(row + 1) * $0).truncatingRemainder(dividingBy: 1) - 0.5
      }
      let treatment = 4 * part[0] + part[1] + 6
      let y = 1 + 2 * treatment + 0.5 * part[2] - part[1]
      lines.append("\(outcome(row, y)),\(treatment),\(part[0]),\(part[2]),f\(row / 2)")
    }
    return lines.joined(separator: "\n")
  }

  private static let roles = [
    "estimate", "--data", "d.csv", "--outcome", "y", "--endogenous", "t", "--instruments", "z",
    "--exogenous", "w", "--repeats", "2",
  ]

  private func run(
    _ arguments: [String], on data: String = data(),
    _ check: (Program.Result, Workspace) throws -> Void
  ) throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    try workspace.write(data, to: "d.csv")
    try check(try bilevelInference.run(arguments, in: workspace.url), workspace)
  }

  @Test("An effect with its interval") func anEffectWithItsInterval() throws {
    try run(Self.roles + ["--json", "r.json", "--output", "out"]) { result, workspace in
      #expect(result.status == 0, "\(result.errors)")
      let json = try workspace.json("r.json")
      let effects = try #require(json["effects"] as? [String: Any])
      let (value, lower, upper) = (
        (effects["values"] as? [Double])?.first, (effects["lower"] as? [Double])?.first,
        (effects["upper"] as? [Double])?.first
      )
      #expect(abs((value ?? 0) - 2) < 0.05)
      #expect((lower ?? 3) < 2 && 2 < (upper ?? 1))
      #expect(json["n"] as? Int == 240)
      #expect((json["robustSet"] as? [String: Any])?["kind"] as? String == "interval")
      #expect((json["warnings"] as? [String])?.isEmpty == true)
      for text in [
        "Data", "Score", "Nuisances", "Resampling", "Identification", "Fit", "Tests", "Reading",
        "kernel ridge regression", "5 folds, 2 splits (median)",
        "Weak-instrument robust 95 % set", "two-stage least squares",
      ] {
        #expect(result.output.contains(text), "\(text)")
      }
      let files = try FileManager.default.contentsOfDirectory(
        atPath: workspace.url.appending(path: "out").path)
      #expect(files.sorted() == ["estimate-coefficients.csv", "estimate.svg"])
    }
  }

  @Test("A curve with its band") func aCurveWithItsBand() throws {
    let options = ["--features", "polynomial:2", "--nuisances", "polynomial:3", "--json", "r.json"]
    try run(Self.roles + options) { result, workspace in
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.output.contains("Intervals are simultaneous"))
      #expect(!result.output.contains("Weak-instrument robust"))
      let curves = try #require(try workspace.json("r.json")["curves"] as? [[String: Any]])
      let curve = try #require(curves.first)
      func numbers(_ key: String) -> [Double] { curve[key] as? [Double] ?? [] }
      #expect(numbers("points").count == 60)
      for (pointwise, band) in zip(numbers("upper"), numbers("bandUpper")) {
        #expect(pointwise < band)
      }
      let path = workspace.url.appending(path: "bilevel-inference-output/estimate-curves.csv").path
      #expect(FileManager.default.fileExists(atPath: path))
    }
  }

  @Test("Groups and missing values") func groupsAndMissingValues() throws {
    let data = Self.data { row, y in row == 5 || row == 8 ? "" : "\(y)" }
    let options = ["--groups", "firm", "--nuisances", "linear", "--exogenous-form", "smooth"]
    try run(Self.roles + options, on: data) { result, _ in
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.output.contains("2 rows with missing values (lines 7, 10)"))
      #expect(result.output.contains("120 groups of 'firm'"))
      #expect(result.output.contains("in 120 clusters"))
      #expect(result.output.contains("mean of g(exogenous)"))
    }
  }

  @Test("Few rows and groups are warned of") func fewRowsAndGroupsAreWarnedOf() throws {
    try run(Self.roles + ["--nuisances", "linear"], on: Self.data(rows: 99)) { result, _ in
      #expect(result.output.contains("Few rows: n = 99"))
      #expect(!result.output.contains("Few groups"))
    }
    let data = Self.data(rows: 100)
    try run(Self.roles + ["--nuisances", "linear"], on: data) { result, _ in
      #expect(result.status == 0, "\(result.errors)")
      #expect(!result.output.contains("Few rows"))
    }
    let few = data.replacingOccurrences(
      of: "f([0-9])[0-9]?(\\n|$)", with: "f$1$2",
      options: .regularExpression)
    let options = ["--nuisances", "linear", "--groups", "firm"]
    try run(Self.roles + options, on: few) { result, _ in
      #expect(result.output.contains("Few groups: 10, below 30"), "\(result.errors)")
    }
  }

  @Test("A smooth part needs exogenous columns") func aSmoothPartNeedsExogenousColumns() throws {
    let roles = Self.roles.filter { $0 != "--exogenous" && $0 != "w" }
    try run(roles + ["--exogenous-form", "smooth"]) { result, _ in
      #expect(result.status == 64)
      #expect(result.errors.contains("--exogenous-form smooth is about exogenous columns"))
    }
  }

  @Test("The same seed gives the same bytes") func theSameSeedGivesTheSameBytes() throws {
    try run(Self.roles + ["--json", "a.json"]) { _, workspace in
      _ = try bilevelInference.run(Self.roles + ["--json", "b.json"], in: workspace.url)
      let (first, second) = (
        try Data(contentsOf: workspace.url.appending(path: "a.json")),
        try Data(contentsOf: workspace.url.appending(path: "b.json"))
      )
      #expect(first == second)
    }
  }

  @Test("Repeated rows are refused unless allowed") func repeatedRowsAreRefusedUnlessAllowed()
    throws
  {
    let lines = Self.data(rows: 60).split(separator: "\n")
    let data = (lines + lines[1...3]).joined(separator: "\n")
    try run(Self.roles, on: data) { result, workspace in
      #expect(result.status == 1)
      #expect(result.errors.contains("d.csv: 3 rows repeat an earlier one"))
      #expect(result.errors.contains("--allow-duplicates"))
      let allowed = try bilevelInference.run(Self.roles + ["--allow-duplicates"], in: workspace.url)
      #expect(allowed.status == 0, "\(allowed.errors)")
      #expect(allowed.output.contains("3 rows repeat another one, taken as observations"))
      let grouped = try bilevelInference.run(Self.roles + ["--groups", "firm"], in: workspace.url)
      #expect(grouped.status == 0, "\(grouped.errors)")
    }
  }

  @Test("Copies in different groups are refused with advice that can be followed")
  func copiesInDifferentGroups() throws {
    let lines = Self.data(rows: 60).split(separator: "\n").map(String.init)
    let copies = lines[1...2].map { $0.replacingOccurrences(of: "f0", with: "other") }
    let data = (lines + copies).joined(separator: "\n")
    try run(Self.roles + ["--groups", "firm", "--nuisances", "linear"], on: data) {
      result, workspace in
      #expect(result.status == 1)
      #expect(
        result.errors.contains("2 rows repeat an earlier one of another group of 'firm'"),
        "\(result.errors)")
      #expect(result.errors.contains("give copies of one unit the same label in 'firm'"))
      #expect(!result.errors.contains("by --groups"))
      let allowed = try bilevelInference.run(
        Self.roles + ["--groups", "firm", "--nuisances", "linear", "--allow-duplicates"],
        in: workspace.url)
      #expect(allowed.status == 0, "\(allowed.errors)")
    }
  }

  @Test("Two-stage least squares beside clustered estimates has clustered errors")
  func clusteredComparison() throws {
    func errors(_ options: [String], _ data: String) throws -> (Double, String) {
      var found = (0.0, "")
      try run(Self.roles + ["--nuisances", "linear", "--json", "r.json"] + options, on: data) {
        result, workspace in
        #expect(result.status == 0, "\(result.errors)")
        let linear = try workspace.json("r.json")["twoStageLeastSquares"] as? [String: Any]
        let names = linear?["names"] as? [String] ?? []
        let index = try #require(names.firstIndex(of: "t"))
        found = ((linear?["standardErrors"] as? [Double] ?? [])[index], result.output)
      }
      return found
    }
    // Each row four times, as one firm: the error is that of the rows once.
    let lines = Self.data(rows: 120).split(separator: "\n").map(String.init)
    let once = lines[1...].enumerated().map { row, line in
      line.replacingOccurrences(of: "f\\d+$", with: "g\(row)", options: .regularExpression)
    }
    let copies = ([lines[0]] + once.flatMap { [$0, $0, $0, $0] }).joined(separator: "\n")
    let (single, _) = try errors([], ([lines[0]] + once).joined(separator: "\n"))
    let (clustered, output) = try errors(["--groups", "firm"], copies)
    #expect(abs(clustered / single - 1) < 1e-9)
    #expect(output.contains("(standard errors of 120 clusters)"))
    let (independent, _) = try errors(["--allow-duplicates"], copies)
    #expect(abs(independent / single - 0.5) < 1e-9)
  }

  @Test("A weak first stage withholds statistics here as in iv-regression linear")
  func weakFirstStage() throws {
    var lines = ["y,t,z,w,firm"]
    for row in 0..<200 {
      let part = [0.618_034, 0.754_878, 0.569_840, 0.31].map {
        (Double(row + 1) * $0).truncatingRemainder(dividingBy: 1) - 0.5
      }
      lines.append("\(part[1] + part[2]),\(part[1] + 0.01 * part[0]),\(part[0]),\(part[3]),f")
    }
    for features in ["linear", "polynomial:2"] {
      let options = ["--nuisances", "linear", "--features", features, "--json", "r.json"]
      try run(Self.roles + options, on: lines.joined(separator: "\n")) { result, workspace in
        #expect(result.status == 0, "\(result.errors)")
        let json = try workspace.json("r.json")
        for part in ["effects", "exogenousEffects"] {
          let effects = try #require(json[part] as? [String: Any])
          #expect(effects["values"] is [Double])
          for key in ["standardErrors", "zStatistics", "pValues", "lower", "upper"] {
            let values = try #require(effects[key] as? [Any])
            #expect(!values.isEmpty && values.allSatisfy { $0 is NSNull }, "\(part) \(key)")
          }
          #expect((effects["withheldReason"] as? String)?.contains("weak first stage") == true)
        }
        let linear = json["twoStageLeastSquares"] as? [String: Any]
        #expect((linear?["intervals"] as? [Any])?.allSatisfy { $0 is NSNull } == true)
        for curve in json["curves"] as? [[String: Any]] ?? [] {
          #expect((curve["bandLower"] as? [Any])?.allSatisfy { $0 is NSNull } == true)
          #expect(curve["values"] is [Double])
        }
        #expect(result.output.contains("withheld"))
        let table = try String(
          contentsOf: workspace.url.appending(
            path: "bilevel-inference-output/estimate-coefficients.csv"), encoding: .utf8)
        #expect(table.contains(",,,,"))
      }
    }
  }

  @Test("An exact fit, a row that decides and an outcome that is explained already")
  func degenerateData() throws {
    func lines(_ row: (Int, [Double]) -> [Double]) -> String {
      let rows = (0..<150).map { index -> String in
        let part = [0.618_034, 0.754_878, 0.569_840, 0.31].map {
          (Double(index + 1) * $0).truncatingRemainder(dividingBy: 1) - 0.5
        }
        return row(index, part).map { "\($0)" }.joined(separator: ",") + ",f"
      }
      return (["y,t,z,w,firm"] + rows).joined(separator: "\n")
    }
    let exact = lines { [2 * ($1[0] + $1[1]) + $1[3], $1[0] + $1[1], $1[0], $1[3]] }
    for learner in ["linear", "kernel"] {
      try run(Self.roles + ["--nuisances", learner], on: exact) { result, _ in
        #expect(result.status == 0, "\(result.errors)")
        #expect(
          result.output.contains("Withheld: the regressors reproduce the outcome exactly"),
          "\(result.output)")
      }
    }
    let single = lines { row, part in
      let far = row == 70 ? 1e6 : 0
      return [part[1] + part[2] + far, part[0] + part[1] + far, part[0] + far, part[3]]
    }
    try run(Self.roles + ["--nuisances", "linear", "--json", "r.json"], on: single) {
      result, workspace in
      #expect(result.status == 0, "\(result.errors)")
      let effects = try workspace.json("r.json")["effects"] as? [String: Any]
      #expect((effects?["pValues"] as? [Any])?.first is NSNull)
    }
    let explained = lines { [3 * $1[3] + 1, $1[0] + $1[1], $1[0], $1[3]] }
    try run(Self.roles, on: explained) { result, _ in
      #expect(result.status == 1)
      #expect(result.errors.contains("the exogenous variables reproduce y exactly"))
    }
  }

  @Test(
    "Wrong options are explained",
    arguments: [
      (["--folds", "90"], "60 rows cannot fill 90 folds"),
      (["--folds", "1"], "--folds must be between 2 and 100, not 1"),
      (["--level", "95"], "--level must be between 0.5 and 0.999"),
      (["--ridge=-1"], "--ridge must be a positive number"),
      (["--nuisances", "linear", "--bandwidth", "1"], "--bandwidth is that of a kernel"),
      (["--features", "cubic"], "--features"),
      (["--groups", "form"], "there is no column \"form\"; did you mean \"firm\"?"),
      (["--json", "./d.csv"], "--json names the data file"),
    ])
  func badOptions(options: [String], message: String) throws {
    try run(Self.roles + options, on: Self.data(rows: 60)) { result, _ in
      #expect(result.status > 0 && result.status < 128)
      #expect(result.errors.contains(message), "\(result.errors)")
    }
  }

  @Test("Data that cannot be used are explained") func badData() throws {
    func message(_ data: String, _ more: [String] = []) throws -> String {
      var errors = ""
      try run(Self.roles + more, on: data) { result, _ in
        #expect(result.status > 0 && result.status < 128)
        errors = result.errors
      }
      return errors
    }
    #expect(
      try message(Self.data { _, _ in "3" }).contains("the values of y are 3 in every row"))
    #expect(
      try message(Self.data { row, y in row == 2 ? "inf" : "\(y)" }).contains(
        "d.csv, line 4, column 1 (\"y\"): the number is infinite"))
    #expect(try message("y,t,zz,w\n1,2,3,4\n").contains("there is no column \"z\"; did you mean"))
    // A treatment that is negative in one row has no logarithm.
    #expect(
      try message(Self.data() + "\n1,-2,0.1,0.2,f", ["--features", "log"]).contains(
        "the logarithm takes positive values, but t is -2"))
  }
}
