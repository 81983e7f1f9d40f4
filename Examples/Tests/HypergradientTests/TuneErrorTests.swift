import Foundation
import ProgramTestSupport
import Testing

@Suite("Errors of tuning") struct TuneErrorTests {
  private func errors(_ arguments: [String], in workspace: Workspace) throws -> String {
    let result = try hypergradient.run(["tune"] + arguments, in: workspace.url)
    #expect(result.status > 0 && result.status < 128, "\(result.status)")
    #expect(!result.errors.contains("Fatal error"))
    return result.errors
  }

  @Test(
    "Wrong options are explained",
    arguments: [
      (["--methods", "aid,magic"], "there is no 'magic'; there are exact, aid, newton, "),
      (["--methods", "cg0"], "there is no 'cg0'"),
      (["--methods", "cg+5"], "there is no 'cg+5'"),
      (["--methods", "itd-last"], "there is no 'itd-last'"),
      (["--methods", "cg5,cg5"], "names 'cg5' twice"),
      (["--methods", ","], "must name one at least"),
      (["--iterations", "0"], "--iterations must be between 1 and 1000000, not 0"),
      (["--inner-steps", "0"], "--inner-steps must be between 1 and 1000000, not 0"),
      (["--inner-tolerance", "1"], "--inner-tolerance must be between 0 and 1"),
      (["--tolerance", "0"], "--tolerance must be between 0 and 1"),
      (["--learning-rate", "inf"], "--learning-rate must be a positive number, not inf"),
      (["--bounds", "-3"], "--bounds must be two numbers from -30 to 30 in ascending order"),
      (["--bounds", "3,3"], "such as -7,7, not '3,3'"),
      (["--strength", "-1"], "--strength"),
      (["--optimizer", "newton"], "'spectral', 'gradient' or 'adam'"),
      (["--test-fraction", "1"], "--test-fraction must be at least 0 and below 1, not 1.0"),
      (["--checkpoint-interval", "nan"], "--checkpoint-interval"),
      (["--resume", "s", "--json", "./s"], "--json names the data file 's'"),
    ])
  func badOptions(arguments: [String], message: String) throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let text = try errors(arguments, in: workspace)
    #expect(text.contains(message), "\(text)")
  }

  @Test("States that cannot be resumed are refused") func badStates() throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    #expect(
      try errors(["--resume", "no"], in: workspace)
        == "Error: no: cannot be read: no such file\n")
    try workspace.write("{}", to: "empty")
    #expect(
      try errors(["--resume", "empty"], in: workspace)
        .hasPrefix("Error: empty, line 1: is not what this program wrote; "))

    let options = ["--methods", "newton", "--iterations", "2", "--output", "out"]
    #expect(try hypergradient.run(["tune"] + options, in: workspace.url).status == 0)
    let resumed = options + ["--resume", "out/tune-state.jsonl"]
    #expect(
      try errors(resumed + ["--learning-rate", "2"], in: workspace)
        .contains("belongs to other options: --learning-rate was 1.0 there and is 2.0 now"))
    #expect(
      try errors(resumed + ["--data-seed", "2"], in: workspace).contains("the rows (checksum) was"))
    #expect(
      try errors(resumed + ["--loss", "logistic"], in: workspace)
        .contains("--loss was squared there and is logistic now"))
  }
}
