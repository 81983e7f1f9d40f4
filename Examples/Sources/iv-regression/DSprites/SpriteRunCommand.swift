import ArgumentParser
import ExampleSupport
import Foundation

/// `iv-regression dsprites-run`: one run of `dsprites`, which starts it.
struct SpriteRunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dsprites-run", abstract: "One run of 'dsprites', which starts it.",
    shouldDisplay: false)

  @Argument(help: "What to run, as JSON.")
  var specification: String

  @Argument(help: "The directory of the runs.")
  var directory: String

  @Argument(help: "Iterations from one checkpoint to the next.")
  var checkpointInterval: Int

  func run() throws {
    guard let specification = parseJSON(SpriteSpecification.self, Data(specification.utf8)),
      checkpointInterval > 0
    else { throw SpriteStudyError.invalidRequest }
    // A study that is gone is noticed when a line is written, and a checkpoint left.
    signal(SIGPIPE, SIG_IGN)
    let interruption = Interruption()
    let runner = SpriteRunner(
      specification: specification, runs: SpriteRuns(directory: directory),
      checkpointInterval: checkpointInterval)
    let hasEnded = try runner.run { event in
      let isHeard = (try? FileHandle.standardOutput.write(contentsOf: Self.line(event))) != nil
      return isHeard && !interruption.isRequested
    }
    if !hasEnded { throw ExitCode.failure }
  }

  private static func line(_ event: SpriteRunEvent) -> Data {
    Data((jsonText(event).filter { !$0.isNewline } + "\n").utf8)
  }
}
