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

  func run() throws {
    guard let specification = parseJSON(SpriteSpecification.self, Data(specification.utf8)) else {
      throw SpriteStudyError.invalidRequest
    }
    // A study that is gone is noticed when a line is written, not by the end of this process.
    signal(SIGPIPE, SIG_IGN)
    let run = try SpriteRunner(specification: specification).run { event in
      try FileHandle.standardOutput.write(contentsOf: Self.line(event))
    }
    try writeJSON(run, to: SpriteRuns(directory: directory).path(of: specification))
  }

  private static func line(_ event: SpriteRunEvent) -> Data {
    Data((jsonText(event).filter { !$0.isNewline } + "\n").utf8)
  }
}
