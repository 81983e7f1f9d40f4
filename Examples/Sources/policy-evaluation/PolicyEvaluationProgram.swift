import ArgumentParser
import ExampleSupport

/// The program: the value of a policy from logged transitions.
@main
struct PolicyEvaluationProgram: ParsableCommand {
  static func main() { runProgram() }

  static let configuration = CommandConfiguration(
    commandName: "policy-evaluation",
    abstract: "The discounted value of a policy from transitions that another policy logged.",
    discussion: """
      'estimate' evaluates a policy by fitted Q-evaluation with orthogonal scores, with intervals, \
      on your own CSV file or a simulated CartPole; 'log' writes transitions of simulated \
      processes; 'study' repeats simulations and counts how often intervals cover the truth.
      """,
    subcommands: [EstimateCommand.self, LogCommand.self, StudyCommand.self],
    defaultSubcommand: EstimateCommand.self)
}
