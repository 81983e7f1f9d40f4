import ArgumentParser
import ExampleSupport

/// The program: hypergradients under an inexact inner solve, and tuning with them.
@main
struct Hypergradient: ParsableCommand {
  static func main() { runProgram() }

  static let configuration = CommandConfiguration(
    commandName: "hypergradient",
    abstract: "Gradients of hyperparameters: how accurate they are, and tuning with them.",
    discussion: """
      'ridge' and 'logistic' compare estimators of the hypergradient where the inner problem is \
      solved only approximately, against the exact answer; 'tune' chooses one penalty per feature \
      on your own data.
      """,
    subcommands: [RidgeCommand.self, LogisticCommand.self, TuneCommand.self])
}
