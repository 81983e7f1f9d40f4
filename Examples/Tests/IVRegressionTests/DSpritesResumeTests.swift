import Foundation
import ProgramTestSupport
import Testing

/// What a second command finds in the directory of the first.
@Suite("Resuming the dSprites study") struct DSpritesResumeTests {
  @Test("Stopped studies go on to the same numbers", arguments: [SIGINT, SIGTERM, SIGKILL])
  func stoppedStudiesGoOnToTheSameNumbers(signal: Int32) throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let runs = DSpritesRuns(workspace: workspace)
    let arguments =
      DSpritesRuns.quick + ["--method", "funcid,itd", "--runs", "2", "--json", "r.json"]
    let first = workspace.url.appending(path: "\(DSpritesRuns.runs)/funcid-1.jsonl")
    let stopped = try ivRegression.run(
      arguments, in: workspace.url, interruptedBy: first, signal: signal)
    #expect(stopped.status != 0)
    if signal != SIGKILL {
      #expect(stopped.errors.contains("interrupted; "), "\(stopped.errors)")
      #expect(stopped.errors.contains("stopping after this iteration; Ctrl-C again stops now\n"))
      #expect(stopped.errors.contains("Go on with\n"))
      #expect(stopped.errors.contains("--json r.json --resume\n"))
    }
    #expect(try runs.files().count < 4)
    let kept = try Data(contentsOf: first)

    let resumed = try ivRegression.run(arguments + ["--resume"], in: workspace.url)
    #expect(resumed.status == 0, "\(resumed.errors)")
    // Its seconds would differ, had it been repeated.
    #expect(try Data(contentsOf: first) == kept)
    let errors = try runs.errors("r.json")
    let whole = try ivRegression.run(arguments + ["--output", "whole"], in: workspace.url)
    #expect(whole.status == 0, "\(whole.errors)")
    #expect(try runs.errors("r.json") == errors)
  }

  /// Stopped after its first checkpoint, in the middle of the run.
  @Test(
    "Runs go on from their checkpoints",
    arguments: [
      "dfiv", "funcid", "funcid-linear", "aid", "itd", "gradient-penalty", "value-function",
    ])
  func runsGoOnFromTheirCheckpoints(method: String) throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let arguments = [
      "dsprites", "--size", "60", "--inner-steps", "3", "--iterations", "8", "--runs", "1",
      "--method", method, "--checkpoint-every", "1", "--decay-learning-rates",
    ]
    let name = "\(DSpritesRuns.runs)/\(method)-1"
    let stopped = try ivRegression.run(
      arguments, in: workspace.url,
      interruptedBy: workspace.url.appending(path: "\(name).checkpoint"))
    #expect(
      stopped.errors.contains("interrupted; runs that have ended, and the others so far, are"))
    let past = try #require(try workspace.records("\(name).unfinished")[0]["seconds"] as? [Double])
    #expect(past.count < 8)
    let other = try ivRegression.run(
      arguments + ["--resume", "--first-ridge", "2"], in: workspace.url)
    #expect(other.errors.contains("\(method)-1.unfinished: belongs to other options"))
    #expect(other.errors.contains("--first-ridge was 0.03 there and is 2.0 now"))

    let resumed = try ivRegression.run(arguments + ["--resume"], in: workspace.url)
    #expect(resumed.status == 0, "\(resumed.errors)")
    #expect(
      try DSpritesRuns(workspace: workspace).files() == ["\(method)-1.jsonl"],
      "the checkpoint is removed")
    let whole = try ivRegression.run(arguments + ["--output", "whole"], in: workspace.url)
    #expect(whole.status == 0, "\(whole.errors)")
    let found = try workspace.records("\(name).jsonl")[0]
    // The past was not repeated: it took as long as it did.
    #expect((found["seconds"] as? [Double])?.starts(with: past) == true)
    let expected = try workspace.records("whole/dsprites-runs/\(method)-1.jsonl")[0]
    for key in ["inner", "outer", "gradientNorm"] {
      func curve(_ run: [String: Any]) throws -> [Double] {
        try #require(run["losses"] as? [[String: Double]]).compactMap { $0[key] }
      }
      #expect(try curve(found) == curve(expected), "\(key)")
    }
    let error = try #require(found["outOfSampleError"] as? Double)
    #expect(error == expected["outOfSampleError"] as? Double)
  }

  @Test("Damaged checkpoints are refused") func damagedCheckpointsAreRefused() throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let arguments = [
      "dsprites", "--size", "60", "--inner-steps", "1", "--iterations", "1000", "--runs", "1",
      "--method", "itd", "--checkpoint-every", "1",
    ]
    let file = workspace.url.appending(path: "\(DSpritesRuns.runs)/itd-1.checkpoint")
    _ = try ivRegression.run(arguments, in: workspace.url, interruptedBy: file)
    var bytes = try Data(contentsOf: file)
    bytes[bytes.count / 2] ^= 1
    try bytes.write(to: file)
    let result = try ivRegression.run(arguments + ["--resume"], in: workspace.url)
    #expect(result.status > 0)
    #expect(
      result.errors.contains("itd-1.checkpoint is damaged; delete it to begin run itd-1 anew"),
      "\(result.errors)")
    #expect(result.errors.components(separatedBy: "Error:").count == 2)
    #expect(!result.errors.contains("--resume"))
  }

  @Test("Other settings are refused by name") func otherSettingsAreRefusedByName() throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let arguments = DSpritesRuns.quick + ["--method", "itd", "--runs", "1"]
    #expect(try ivRegression.run(arguments, in: workspace.url).status == 0)
    for (options, message) in [
      ([], "holds 1 record already; add --resume"),
      (["--resume", "--size", "62"], "--size was 60 there and is 62 now"),
      (["--resume", "--iterations", "3"], "--iterations was 2 there and is 3 now"),
      (["--resume", "--unrolled-steps", "1"], "--unrolled-steps was 2 there and is 1 now"),
      (["--resume", "--precision", "float64"], "--precision was float32 there and is float64"),
      (["--resume", "--no-decay-learning-rates"], "--decay-learning-rates was on there"),
      // What all runs share must be the same for another method too.
      (["--resume", "--method", "aid", "--size", "62"], "--size was 60 there and is 62 now"),
    ] {
      let result = try ivRegression.run(arguments + options, in: workspace.url)
      #expect(result.status > 0)
      #expect(result.errors.contains(message), "\(options): \(result.errors)")
    }
    // More runs, and other methods with settings of their own.
    let more = try ivRegression.run(
      DSpritesRuns.quick
        + ["--method", "aid", "--runs", "1", "--inner-learning-rate", "0.01", "--resume"],
      in: workspace.url)
    #expect(more.status == 0, "\(more.errors)")
    #expect(
      more.output.contains(
        "1 further run in \(DSpritesRuns.runs) is left out of the table and the plot"))
  }

  @Test("One program at a time writes to a directory") func oneProgramAtATimeWritesToADirectory()
    throws
  {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let directory = workspace.url.appending(path: DSpritesRuns.runs)
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    let descriptor = open(directory.appending(path: ".lock").path, O_RDWR | O_CREAT, 0o644)
    try #require(flock(descriptor, LOCK_EX | LOCK_NB) == 0)
    let arguments = DSpritesRuns.quick + ["--method", "dfiv", "--runs", "1"]
    let refused = try ivRegression.run(arguments, in: workspace.url)
    #expect(refused.status > 0)
    #expect(
      refused.errors.contains("another iv-regression is writing to \(DSpritesRuns.runs); wait"))
    close(descriptor)
    let result = try ivRegression.run(arguments, in: workspace.url)
    #expect(result.status == 0, "\(result.errors)")
  }

  @Test(
    "Results that cannot be written are refused before the runs",
    arguments: ["missing/r.json", "."])
  func resultsThatCannotBeWrittenAreRefusedBeforeTheRuns(json: String) throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let result = try ivRegression.run(
      DSpritesRuns.quick + ["--method", "dfiv", "--runs", "1", "--json", json], in: workspace.url)
    #expect(result.status > 0)
    #expect(result.errors.contains("\(json): cannot be written"), "\(result.errors)")
    #expect(!FileManager.default.fileExists(atPath: workspace.url.path + "/" + DSpritesRuns.runs))
  }

  @Test("Damaged runs are refused") func damagedRunsAreRefused() throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let runs = DSpritesRuns(workspace: workspace)
    let arguments = DSpritesRuns.quick + ["--method", "itd", "--runs", "1"]
    #expect(try ivRegression.run(arguments, in: workspace.url).status == 0)
    let name = "\(DSpritesRuns.runs)/itd-1.jsonl"
    let text = try String(contentsOf: workspace.url.appending(path: name), encoding: .utf8)
    for (content, message) in [
      ("", ", line 1: is not what this program wrote"),
      (String(text.dropLast(100)), ", line 2: is not what this program wrote"),
      (text.replacing("dsprites run ", with: "dsprites run 0"), ": expected 'dsprites run"),
      (text.replacing("\"itd\"", with: "\"aid\""), ", line 2: is not what this program wrote"),
      (
        text.replacing("\"iterations\":2", with: "\"iterations\":4"),
        ", line 2: is not what this program wrote"
      ),
    ] {
      try workspace.write(content, to: name)
      let result = try ivRegression.run(arguments + ["--resume"], in: workspace.url)
      #expect(result.status > 0)
      #expect(result.errors.contains(name + message), "\(result.errors)")
      #expect(result.errors.contains("delete the file to begin anew"))
    }
    try workspace.write(text, to: name)
    #expect(try ivRegression.run(arguments + ["--resume"], in: workspace.url).status == 0)
    #expect(try runs.files() == ["itd-1.jsonl"])
  }

  @Test("Runs are started by the study alone") func runsAreStartedByTheStudyAlone() throws {
    let workspace = try Workspace()
    defer { workspace.remove() }
    let result = try ivRegression.run(["dsprites-run", "{}", ".", "1"], in: workspace.url)
    #expect(result.status > 0)
    #expect(result.errors.contains("expected the description of a run"))
    let help = try ivRegression.run(["--help"], in: workspace.url)
    #expect(help.output.contains("dsprites") && !help.output.contains("dsprites-run"))
  }
}
