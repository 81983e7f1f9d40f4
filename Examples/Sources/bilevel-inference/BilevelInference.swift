import ArgumentParser
import ExampleSupport

/// The program: gradients of bilevel objectives with confidence intervals.
@main
struct BilevelInference: ParsableCommand {
  static func main() { runProgram() }

  static let configuration = CommandConfiguration(
    commandName: "bilevel-inference",
    abstract: "Gradients of bilevel objectives with confidence intervals.",
    discussion: """
      'estimate' is for your own data. 'coverage' measures on simulated data how often the \
      intervals hold the truth, beside baselines; 'kbo-path' what a fixed penalty costs the kernel \
      baseline; 'descent' follows the gradient of one sample. 'bilevel-inference help \
      <subcommand>' explains the options of each.
      """,
    subcommands: [
      EstimateCommand.self, CoverageCommand.self, KernelPathCommand.self, DescentCommand.self,
    ])
}
