import Foundation
import ProgramTestSupport
import Testing

@Suite("Options") struct OptionTests {
  /// Runs and returns what standard error says, which must come without a crash.
  private func errors(_ arguments: [String], files: [String: String] = [:]) throws -> String {
    let workspace = try Workspace()
    defer { workspace.remove() }
    for (name, text) in files { try workspace.write(text, to: name) }
    let result = try hypergradient.run(arguments, in: workspace.url)
    #expect(result.status > 0 && result.status < 128, "\(result.status)")
    #expect(!result.errors.contains("Fatal error"))
    return result.errors
  }

  @Test("Help names every subcommand") func helpNamesEverySubcommand() throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let result = try hypergradient.run(["--help"], in: workspace.url)
    #expect(result.status == 0)
    for name in ["ridge", "logistic", "tune"] { #expect(result.output.contains("  \(name) ")) }
  }

  @Test(
    "The help explains every option",
    arguments: [
      ("ridge", ["newton: after one Newton step", "Without --estimators: plain, diagonal-safe"]),
      ("logistic", ["one-step (approximate): differentiates"]),
      ("tune", ["exact: closed form", "itd*: reverse mode", "cgK: as newton"]),
    ])
  func helpExplains(command: String, lines: [String]) throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let help = try hypergradient.run([command, "--help"], in: workspace.url).output
    for line in lines { #expect(help.contains(line), "\(line)") }
  }

  @Test(
    "Wrong options are explained",
    arguments: [
      (["ridge", "--seeds", "0"], "--seeds must be between 1 and 1000, not 0"),
      (["ridge", "--outer", "cubic"], "--outer"),
      (["ridge", "--penalties", "6,3"], "--penalties must be two numbers"),
      (["ridge", "--penalties", "-1,-2"], "in ascending order, such as 3,6, not '-1,-2'"),
      (["tune", "--start", "-21"], "between -20 and 20, not -21.0"),
      (["ridge", "--penalties", "3"], "such as 3,6, not '3'"),
      (["ridge", "--estimators", "plain,magic"], "there is no 'magic'; there are all, plain, "),
      (["ridge", "--estimators", "plain,plain"], "names 'plain' twice"),
      (["ridge", "--estimators", ","], "must name one at least"),
      (["logistic", "--simulate", "600"], "rows x features, such as 600x100"),
      (["logistic", "--simulate", "10000000x10000"], "268435456 numbers"),
      (["logistic", "--simulate", "10x2", "--data", "f"], "exclude each other"),
      (["logistic", "--validation", "f"], "add --data FILE"),
      (["ridge", "--data", "d.txt", "--label", "y"], "--label names a column of a CSV file"),
      (["ridge", "--delimiter", ";;"], "--delimiter must be one ASCII character"),
      (["logistic", "--decay", "1"], "add --simulate"),
      (["logistic", "--simulate", "9x2", "--correlation", "1"], "at least 0 and below 1, not 1.0"),
      (["logistic", "--points", "grid"], "'path' and 'random'"),
      (["tune", "--validation-fraction", "1"], "between 0 and 1, both excluded"),
      (["tune", "--learning-rate", "0"], "--learning-rate must be a positive number"),
      (["tune", "--start", "nan"], "--start must be between -20 and 20"),
      (["tune", "--data", "d.csv", "--json", "./d.csv"], "--json names the data file 'd.csv'"),
    ])
  func badOptions(arguments: [String], message: String) throws {
    let text = try errors(arguments)
    #expect(text.contains(message), "\(text)")
  }

  @Test("Files that cannot be used are explained") func badFiles() throws {
    #expect(
      try errors(["ridge", "--data", "no"]) == "Error: no: cannot be read: no such file\n")
    #expect(
      try errors(["ridge", "--data", "d"], files: ["d": "1 1:2\n2 2:1 1:3\n"])
        .hasPrefix("Error: d, line 2, column 7: index 1 follows index 2"))
    #expect(
      try errors(["logistic", "--data", "d"], files: ["d": "1 1:2\n2 1:1\n3 1:1\n"])
        .hasPrefix("Error: d: the labels have 3 different values (1, 2, 3)"))
    #expect(
      try errors(["tune", "--data", "d.csv"], files: ["d.csv": "y,x\n1,2\n"])
        .hasPrefix("Error: d.csv: 1 row can be used, but at least 2 are needed"))
    let seven = "y,x\n" + (0..<5).map { "\($0),\($0 * $0)\n" }.joined()
    #expect(
      try errors(["tune", "--data", "d.csv"], files: ["d.csv": seven])
        .hasPrefix("Error: d.csv: 3 rows for training and 2 for validation, but at least 5 and 2"))
    #expect(
      try errors(["tune", "--data", "d.csv"], files: ["d.csv": "y,x\n1,2\n2,-\n"])
        .contains("or name it in --missing"))
    #expect(
      try errors(["logistic", "--data", "d.csv"], files: ["d.csv": "y,x\na,2\na,1\n"])
        .hasPrefix("Error: d.csv: the labels have one value (a), but two classes were expected"))
    #expect(
      try errors(["tune", "--data", "d.csv", "--label", "z"], files: ["d.csv": "y,x\n1,2\n"])
        .contains("there is no column \"z\""))
    #expect(
      try errors(
        ["ridge", "--data", "a.csv", "--validation", "b.csv"],
        files: ["a.csv": "y,x\n1,2\n", "b.csv": "y,x,z\n1,2,3\n"]
      ).hasPrefix("Error: b.csv: the columns are not those of a.csv; not expected: z. Give both"))
    let text = try errors(
      ["ridge", "--data", "a", "--validation", "b"],
      files: ["a": "1 1:2 2:1\n2 1:1 2:3\n", "b": "1 1:2 9:1\n"])
    #expect(
      text == "Error: b, line 1, column 7: found index 9, but 2 features were expected, as in the "
        + "training rows; remove the entry, or give two files with the same features\n")
  }

  /// What a LIBSVM file omits is zero, unless rows that omit something are to be dropped.
  @Test("Omitted features") func omittedFeatures() throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let rows = (0..<30).map { "\($0 % 7) \($0 % 3 > 0 ? "1:\($0 % 5 + 1) " : "")2:\($0 * $0 % 11)" }
    try workspace.write(rows.joined(separator: "\n") + "\n", to: "d")
    func run(_ more: [String]) throws -> (output: String, report: [String: Any]) {
      let options = ["ridge", "--data", "d", "--seeds", "1", "--estimators", "plain"]
      let result = try hypergradient.run(options + ["--json", "r"] + more, in: workspace.url)
      #expect(result.status == 0, "\(result.errors)")
      return (result.output, try workspace.json("r"))
    }
    let whole = try run([])
    #expect(whole.report["rows"] as? Int == 30)
    #expect(!whole.output.contains("dropped"))
    let part = try run(["--drop-omitted"])
    #expect(part.report["rows"] as? Int == 20)
    #expect(part.output.contains("d: 10 of 30 rows dropped: a feature is omitted"))
    let notes = (part.report["data"] as? [String: Any])?["droppedRows"] as? [[String: Any]]
    #expect(notes?.first?["dropped"] as? Int == 10)
  }

  /// Columns of the validation file are found by their names: a permuted file changes nothing.
  @Test("Validation columns can be permuted") func validationColumnsCanBePermuted() throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    func rows(_ first: Int) -> [[Int]] {
      (first..<first + 12).map { [$0 * $0 % 11, $0 % 5, $0 * 3 % 7] }
    }
    func table(_ header: String, _ lines: [[Int]]) -> String {
      header + "\n" + lines.map { $0.map(String.init).joined(separator: ",") + "\n" }.joined()
    }
    try workspace.write(table("y,a,b", rows(0)), to: "t.csv")
    try workspace.write(table("y,a,b", rows(20)), to: "v.csv")
    try workspace.write(table("b,y,a", rows(20).map { [$0[2], $0[0], $0[1]] }), to: "p.csv")
    try workspace.write(table("y,b,a", rows(20)), to: "wrong.csv")
    func losses(_ file: String) throws -> NSDictionary {
      let result = try hypergradient.run(
        [
          "tune", "--data", "t.csv", "--validation", file, "--methods", "newton", "--iterations",
          "2", "--json", "r.json",
        ], in: workspace.url)
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.output.contains("label: y"))
      let report = try workspace.json("r.json")
      #expect((report["data"] as? [String: Any])?["label"] as? String == "y")
      let baselines = try #require(report["baselines"] as? [String: Any])
      return try #require(baselines["common"] as? NSDictionary)
    }
    #expect(try losses("p.csv") == losses("v.csv"))
    #expect(try losses("wrong.csv") != losses("v.csv"))
  }
}
