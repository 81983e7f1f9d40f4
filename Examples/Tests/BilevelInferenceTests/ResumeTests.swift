import Foundation
import ProgramTestSupport
import Testing

/// What a second command finds in the directory of the first.
@Suite("Resuming") struct ResumeTests {
  private static let quick = [
    "coverage", "--design", "iv", "--sizes", "100,150", "--methods", "oracle,obigrad",
    "--landmarks", "30", "--output", "out",
  ]
  private static let table = "out/coverage-iv.csv"
  private static let kept = "out/coverage-iv.jsonl"

  @Test("Stopped studies go on to the same numbers", arguments: [SIGINT, SIGTERM, SIGKILL])
  func stoppedStudiesGoOnToTheSameNumbers(signal: Int32) throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    // One thread, or fast machines end before the signal comes.
    let arguments = Self.quick + ["--jobs", "1", "--replications", "150"]
    let stopped = try bilevelInference.run(
      arguments, in: workspace.url, interruptedBy: workspace.url.appending(path: Self.kept),
      signal: signal)
    #expect(stopped.status != 0)
    if signal != SIGKILL {
      #expect(stopped.errors.contains("interrupted; the "), "\(stopped.errors)")
      #expect(stopped.errors.contains("replications so far are in out/coverage-iv.jsonl"))
      #expect(stopped.errors.contains("--replications 150 --resume\n"))
    }
    let count = try text(Self.kept, workspace).split(separator: "\n").count
    #expect(count < 301)
    let resumed = try bilevelInference.run(arguments + ["--resume"], in: workspace.url)
    #expect(resumed.status == 0, "\(resumed.errors)")
    let table = try text(Self.table, workspace)
    try FileManager.default.removeItem(at: workspace.url.appending(path: "out"))
    let whole = try bilevelInference.run(arguments, in: workspace.url)
    #expect(whole.status == 0, "\(whole.errors)")
    #expect(try text(Self.table, workspace) == table)
  }

  @Test("The number of threads leaves no trace") func theNumberOfThreadsLeavesNoTrace() throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    var results: [(table: String, lines: [Substring])] = []
    for jobs in ["1", "2", "5"] {
      let result = try bilevelInference.run(
        Self.quick + ["--replications", "9", "--jobs", jobs], in: workspace.url)
      #expect(result.status == 0, "\(result.errors)")
      results.append(
        (
          try text(Self.table, workspace),
          try text(Self.kept, workspace).split(separator: "\n").sorted()
        ))
      try FileManager.default.removeItem(at: workspace.url.appending(path: "out"))
    }
    #expect(results[0] == results[1])
    #expect(results[0] == results[2])
  }

  @Test("A torn last line is made anew and studies can grow")
  func aTornLastLineIsMadeAnewAndStudiesCanGrow() throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let small = try bilevelInference.run(Self.quick + ["--replications", "4"], in: workspace.url)
    #expect(small.status == 0, "\(small.errors)")
    let contents = try text(Self.kept, workspace)
    try workspace.write(String(contents.dropLast(40)), to: Self.kept)
    let grown = try bilevelInference.run(
      Self.quick + ["--replications", "7", "--resume"], in: workspace.url)
    #expect(grown.status == 0, "\(grown.errors)")
    // Fourteen in all, of which seven whole ones were there.
    #expect(grown.errors.contains("iv: 7/7 (100 %)"), "\(grown.errors)")
    let table = try text(Self.table, workspace)
    // Fewer replications than are kept: only those are in the table.
    let again = try bilevelInference.run(
      Self.quick + ["--replications", "4", "--resume"], in: workspace.url)
    func found(_ output: String) -> String { String(output.prefix { $0 != "W" }) }
    #expect(found(again.output) == found(small.output))
    #expect(again.output.contains("coverage-iv.jsonl in place of earlier ones"))
    try FileManager.default.removeItem(at: workspace.url.appending(path: "out"))
    _ = try bilevelInference.run(Self.quick + ["--replications", "7"], in: workspace.url)
    #expect(try text(Self.table, workspace) == table)
  }

  @Test("Other studies are refused") func otherStudiesAreRefused() throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let arguments = Self.quick + ["--replications", "2"]
    _ = try bilevelInference.run(arguments, in: workspace.url)
    let contents = try text(Self.kept, workspace)
    func errors(_ more: [String]) throws -> String {
      let result = try bilevelInference.run(arguments + more, in: workspace.url)
      #expect(result.status != 0)
      return result.errors
    }
    #expect(try errors([]).contains("holds 4 records already; add --resume"))
    #expect(
      try errors(["--resume", "--seed", "2"])
        .contains("belongs to other options: --seed was 1 there and is 2 now"))
    #expect(try errors(["--resume", "--folds", "3"]).contains("--folds was 5 there and is 3 now"))
    #expect(try errors(["--resume", "--band"]).contains("--band was off there and is 500 draws"))
    #expect(
      try errors(["--resume", "--ridge", "cv"]).contains("--ridge-power, --bandwidth, --landmarks"))
    #expect(try text(Self.kept, workspace) == contents)

    try workspace.write(
      contents.replacing("coverage 1", with: "coverage 0"), to: Self.kept)
    #expect(
      try errors(["--resume"]).contains(
        "expected 'bilevel-inference coverage 1', found 'bilevel-inference coverage 0'"))
    try workspace.write(
      contents.replacing("\"errors\"", with: "\"mistakes\"", maxReplacements: 1), to: Self.kept)
    #expect(try errors(["--resume"]).contains("coverage-iv.jsonl, line 2: is not what"))
    try workspace.write("notes\n", to: Self.kept)
    #expect(try errors(["--resume"]).contains("coverage-iv.jsonl, line 1: is not what"))
  }
}
