import Foundation
import ProgramTestSupport
import Testing

@Suite struct OptionTests {
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

  @Test func helpNamesEverySubcommand() throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let result = try hypergradient.run(["--help"], in: workspace.url)
    #expect(result.status == 0)
    for name in ["ridge", "logistic", "tune"] { #expect(result.output.contains("  \(name) ")) }
  }

  @Test(arguments: [
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

  @Test func badFiles() throws {
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
        .hasPrefix("Error: d.csv: 1 rows can be used, but at least 2 are needed"))
    #expect(
      try errors(["tune", "--data", "d.csv", "--label", "z"], files: ["d.csv": "y,x\n1,2\n"])
        .contains("there is no column \"z\""))
    #expect(
      try errors(
        ["ridge", "--data", "a.csv", "--validation", "b.csv"],
        files: ["a.csv": "y,x\n1,2\n", "b.csv": "y,x,z\n1,2,3\n"]
      ).hasPrefix("Error: a.csv has 1 features and b.csv has 2"))
  }
}
