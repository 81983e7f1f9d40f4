import ArgumentParser
import Econometrics
import ExampleSupport

/// The program: instrumental-variable regression, linear and deep.
@main
struct IVRegression: ParsableCommand {
  static func main() { runProgram() }

  static let configuration = CommandConfiguration(
    commandName: "iv-regression",
    abstract: "Instrumental-variable regression.",
    discussion: """
      Without a subcommand, runs 'linear' and 'deep' on their defaults: real data and a simulation. \
      'iv-regression help <subcommand>' explains the options of each.
      """,
    subcommands: [
      LinearCommand.self, DeepCommand.self, DSpritesCommand.self, SpriteRunCommand.self,
    ])

  @OptionGroup var shared: SharedOptions

  func run() throws {
    try shared.outputs.requireUsable()
    let directory = try shared.outputs.directory()
    let linear = try LinearRun(seed: shared.seed).run(writingTo: { directory })
    print()
    let deep = try DeepRun(settings: DeepSettings(), seed: shared.seed)
      .run(writingTo: { directory })
    try shared.outputs.writeResults(DefaultResults(linear: linear, deep: deep))
    if deep.isInterrupted { throw ExitCode(130) }
  }
}

/// What the program without a subcommand writes with `--json`: one key per subcommand.
private struct DefaultResults: Encodable {
  let linear: InstrumentalResult<LinearEstimates>
  let deep: DeepReport
}
