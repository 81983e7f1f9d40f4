import Foundation
import ProgramTestSupport
import Testing

@Suite("Errors of Estimate") struct EstimateErrorTests {
  private static func rows(terminal: Int) -> String {
    (0..<30).reduce("s,action,reward,next_s,terminal,id\n") {
      $0 + "\($1 % 7),\($1 % 2),\($1 % 5),\(($1 + 1) % 7),\(terminal),\($1 / 3)\n"
    }
  }

  private static let good = rows(terminal: 0)

  /// Runs on a file and returns what standard error says, which must come without a crash.
  private func errors(
    _ more: [String], in csv: String = good, columns: [String] = ["--state", "s"]
  ) throws -> String {
    let workspace = try Workspace()
    defer { workspace.remove() }
    try workspace.write(csv, to: "d.csv")
    let result = try policyEvaluation.run(
      ["estimate", "--data", "d.csv"] + columns + more, in: workspace.url)
    #expect(result.status > 0 && result.status < 128, "\(result.status)")
    #expect(!result.errors.contains("Fatal error"))
    return result.errors
  }

  private let policy = ["--policy", "proportional", "--trajectory", "id"]

  @Test("Wrong options are explained") func options() throws {
    #expect(try errors(["--trajectory", "id"]).contains("give either --next-action"))
    #expect(try errors(policy, columns: []).contains("--state must name the columns"))
    #expect(
      try errors(["--policy", "proportional"]).contains("initial states are not known"))
    #expect(
      try errors(policy + ["--discount", "1"]).contains(
        "--discount must be at least 0 and less than 1"))
    #expect(try errors(policy + ["--folds", "1"]).contains("--folds must be at least 2"))
    #expect(
      try errors(["--policy", "leaning", "--trajectory", "id"]).contains(
        "--policy leaning acts on the state angle, angular_velocity and 2 kinds of action"))
    #expect(
      try errors(policy + ["--rollouts", "50"]).contains(
        "--rollouts is for simulation, without --data"))
    #expect(try errors(policy + ["--features", "tabular"]).contains("--features tabular needs"))
  }

  @Test("Data that do not fit are refused") func data() throws {
    #expect(
      try errors(policy, columns: ["--state", "z"]).contains("there is no column \"z\""))
    let missing = Self.good.replacingOccurrences(of: "\n1,1,1,2,0,0\n", with: "\n1,1,,2,0,0\n")
    #expect(try errors(policy, in: missing).contains("line 3, column 5 (\"reward\"): the value is"))
    let mark = Self.good.replacingOccurrences(of: "\n1,1,1,2,0,0\n", with: "\n1,1,1,2,2,0\n")
    #expect(
      try errors(policy + ["--terminal", "terminal"], in: mark).contains(
        "a terminal mark must be 0 or 1"))
    let ends = Self.rows(terminal: 1)
    #expect(
      try errors(policy + ["--terminal", "terminal"], in: ends).contains("transitions are terminal")
    )
    #expect(try errors(policy + ["--folds", "11"]).contains("10 groups of rows cannot fill 11"))
    #expect(try errors(policy, in: "s,action,reward,next_s,id\n").contains("no transitions"))
  }

  @Test("Advice about copies and coefficients names options that the program has")
  func adviceCanBeFollowed() throws {
    // Each transition twice, of two trajectories.
    let lines = Self.good.split(separator: "\n")
    let copies = lines.dropFirst().map { "\($0)" + "\n" + $0.dropLast(1) + "99" + "\n" }
    let twice = "\(lines[0])\n" + copies.joined()
    let options = ["--policy", "proportional", "--initial", "i.csv", "--degree", "1"]
    let workspace = try Workspace()
    defer { workspace.remove() }
    try workspace.write(twice, to: "d.csv")
    try workspace.write("s\n1\n2\n", to: "i.csv")
    func run(_ more: [String]) throws -> Program.Result {
      try policyEvaluation.run(
        ["estimate", "--data", "d.csv", "--state", "s"] + options + more, in: workspace.url)
    }
    let refused = try run([])
    #expect(refused.status == 1)
    #expect(refused.errors.contains(" transitions repeat another one in all columns used"))
    #expect(refused.errors.contains("by --trajectory, or add --allow-duplicates"))
    let allowed = try run(["--allow-duplicates"])
    #expect(allowed.status == 0, "\(allowed.errors)")
    // Each action is taken in one state only.
    let few = (0..<40).reduce("s,action,reward,next_s,b,c\n") {
      $0 + "\($1 % 2),\($1 % 2),\($1),\(($1 + 1) % 2),0,0\n"
    }
    try workspace.write(few, to: "d.csv")
    let unknown = try policyEvaluation.run(
      [
        "estimate", "--data", "d.csv", "--state", "s", "--action-count", "2", "--next-action", "b",
        "--initial", "d.csv", "--initial-action", "c", "--features", "tabular",
      ], in: workspace.url)
    #expect(unknown.status == 1)
    #expect(
      unknown.errors.contains(
        "the transitions tell only 2 of the 4 coefficients of the action value apart"))
    #expect(unknown.errors.contains("or a penalty (--ridge)"))
  }

  @Test("A missing file is named") func missingFile() throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let result = try policyEvaluation.run(
      ["estimate", "--data", "no.csv", "--state", "s"] + policy, in: workspace.url)
    #expect(result.status == 1)
    #expect(result.errors == "Error: no.csv: cannot be read: no such file\n")
  }
}
