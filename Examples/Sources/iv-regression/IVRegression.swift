import ArgumentParser
import ExampleSupport

/// The program: instrumental-variable regression, linear and deep.
@main
struct IVRegression: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "iv-regression",
    abstract: "Instrumental-variable regression.",
    discussion: """
      Without a subcommand, runs every subcommand on its defaults: real data for 'linear'. \
      'iv-regression help <subcommand>' explains the options of each.
      """,
    subcommands: [LinearCommand.self])

  @OptionGroup var shared: SharedOptions

  func run() throws {
    let directory = try shared.outputDirectory()
    let linear = try LinearRun(.card, seed: shared.seed).run(writingTo: directory)
    // `deep` runs here, after `linear`, and joins the results below under its own key.
    try shared.writeResults(DefaultResults(linear: linear))
  }
}

/// What the program without a subcommand writes with `--json`: one key per subcommand.
private struct DefaultResults: Encodable {
  let linear: LinearReport
}
