import Foundation
import ProgramTestSupport
import Testing

@Suite("Errors of the linear program") struct LinearProgramErrorTests {
  private static let good = "y,x,z,w\n1,2,3,1\n2,1,5,0\n4,3,8,1\n3,6,9,0\n6,5,11,1\n8,9,9,1\n"

  /// Runs on a file and returns what standard error says, which must come without a crash.
  private func errors(
    _ csv: String, outcome: String = "y", endogenous: String = "x", instruments: String? = "z",
    exogenous: String? = nil, _ more: [String] = []
  ) throws -> String {
    let workspace = try Workspace()
    defer { workspace.remove() }
    try workspace.write(csv, to: "d.csv")
    var arguments = ["linear", "--data", "d.csv", "--outcome", outcome, "--endogenous", endogenous]
    if let instruments { arguments += ["--instruments", instruments] }
    if let exogenous { arguments += ["--exogenous", exogenous] }
    let result = try ivRegression.run(arguments + more, in: workspace.url)
    #expect(result.status > 0 && result.status < 128, "\(result.status)")
    #expect(!result.errors.contains("Fatal error"))
    return result.errors
  }

  @Test("Files that cannot be used are explained") func badFiles() throws {
    #expect(
      try errors("y,x,z\n1,2,3\n4,five,6\n").contains(
        "Error: d.csv, line 3, column 3 (\"x\"): found \"five\", but a number was expected"))
    #expect(
      try errors("y,x,z\n1,2,3\n4,5\n").contains(
        "Error: d.csv, line 3, column 1: the row has 2 fields, but the header has 3"))
    #expect(try errors("").contains("Error: d.csv: the file is empty"))
    #expect(
      try errors("y,x,z\n1,1,2,3\n").contains(
        "or name the first column in the header too if it holds the names of rows"))
    #expect(
      try errors("\"y,x,z\"\n").contains(
        "That one name holds delimiters: the line is quoted as a whole"))
    let (composed, combined) = ("\u{E9}", "e\u{301}")
    #expect(
      try errors(
        "\(composed),\(combined),z\n1,2,3\n4,5,7\n", outcome: composed, endogenous: combined
      ).contains("differ only by how Unicode composes a letter; rename one of them"))
    #expect(
      try errors("y,x,z\n").contains("Error: 0 complete rows cannot estimate this model"))
    #expect(
      try errors("y,x,z\n1,inf,3\n").contains("d.csv, line 2, column 3 (\"x\"): the number is"))
  }

  @Test("A missing file is named") func missingFile() throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let result = try ivRegression.run(
      ["linear", "--data", "no.csv", "--outcome", "y", "--endogenous", "x"], in: workspace.url)
    #expect(result.status == 1)
    #expect(result.errors == "Error: no.csv: cannot be read: no such file\n")
    #expect(result.output.isEmpty)
  }

  @Test("Columns that do not exist or fit are explained") func badColumns() throws {
    let good = Self.good
    #expect(
      try errors(good, endogenous: "xx").contains(
        "Error: d.csv: there is no column \"xx\"; did you mean \"x\"?\n"
          + "The columns are: y, x, z, w"))
    #expect(try errors(good, instruments: nil).contains("no instruments are given for x"))
    #expect(try errors(good, instruments: "").contains("no instruments are given for x"))
    #expect(
      try errors(good, endogenous: "x,w").contains(
        "1 instrument (z) cannot identify 2 endogenous variables (x and w)"))
    #expect(
      try errors(good, exogenous: "z").contains(
        "column z is given as instrument and as exogenous variable"))
  }

  @Test("Models that cannot be estimated") func modelsThatCannotBeEstimated() throws {
    let collinear = "y,x,z,a,b\n1,2,3,1,2\n2,1,5,0,0\n4,3,8,2,4\n3,6,9,0,0\n6,5,1,1,2\n7,1,4,3,6\n"
    #expect(try errors(collinear, exogenous: "a,b").contains("columns a and b are collinear"))
    let constant = "y,x,z,one\n1,2,3,1\n2,1,5,1\n4,3,8,1\n3,6,9,1\n6,5,11,1\n"
    #expect(
      try errors(constant, exogenous: "one").contains(
        "exogenous variable one is 1 in every row, and a constant is added already"))
    #expect(
      try errors("y,x,z\n1,2,3\n2,3,5\n").contains(
        "2 complete rows cannot estimate this model; it needs at least 3"))
  }

  @Test("Places that cannot be written") func placesThatCannotBeWritten() throws {
    #expect(
      try errors(Self.good, ["--output", "d.csv"]).contains(
        "Error: d.csv: cannot be written: there is a file of this name"))
    #expect(
      try errors(Self.good, ["--json", "no/such/r.json"]).contains(
        "Error: no/such/r.json: cannot be written: the directory it should be in does not exist"))
  }

  @Test("Wrong options are explained") func badOptions() throws {
    #expect(try errors(Self.good, ["--covariance", "magic"]).contains("'unadjusted' and 'robust'"))
    #expect(try errors(Self.good, ["--seed", "-1"]).contains("--seed"))
    let workspace = try Workspace()
    defer { workspace.remove() }
    let result = try ivRegression.run(["linear", "--data", "d.csv"], in: workspace.url)
    #expect(result.status == 64)
    #expect(result.errors.contains("--outcome and --endogenous must name columns"))
  }
}
