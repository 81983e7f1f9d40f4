import ArgumentParser
import Autodiff
import ControlProblems
import ExampleSupport
import TensorFiles

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

/// `policy-evaluation log`: transitions of a simulated process as CSV.
struct LogCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "log",
    abstract: "Write transitions of a simulated process to a CSV file.",
    discussion: """
      'cartpole': a pole on a cart with the usual constants and a standard deviation of 5 N of noise \
      in the force of 10 N, pushed by a policy that balances a little and, in half of the steps, pushes at \
      random. 'sine': a process on the line whose action values are known; trajectories have one \
      transition each, so they are independent.

      Columns: trajectory, the state, action, reward, the next state with 'next_' before its names, \
      terminal (1 where an episode fails, 0 where it goes on or is cut off).
      """)

  @Option(help: "The process.")
  var process: BuiltInProcess = .cartpole

  @OptionGroup var simulation: SimulationOptions

  @Option(help: "The seed.")
  var seed: UInt64 = 1

  @Option(help: .value("file", "The file to write."))
  var output = "transitions.csv"

  func run() throws {
    try requireWritable(output)
    try simulation.requireMemory(for: process, stepByteCount: 500)
    let log = simulation.log(process, generator: PhiloxGenerator(seed: seed))
    let names = process.stateNames
    var writer = CSVWriter(
      columnNames: ["trajectory"] + names + ["action", "reward"] + names.map { "next_" + $0 }
        + ["terminal"])
    for row in log.rows {
      writer.append(
        [.number(Double(row.trajectory))] + row.state.map(CSVValue.number)
          + [.number(row.action), .number(row.step.reward)]
          + row.step.state.map(CSVValue.number) + [.number(row.step.isTerminal ? 1 : 0)])
    }
    try writer.write(toFile: output)
    let trajectories = Set(log.rows.map(\.trajectory)).count
    let ends = log.rows.count { $0.step.isTerminal }
    print(
      "Wrote \(Numbers.count(log.rows.count)) transitions of \(Numbers.count(trajectories)) "
        + "trajectories, \(Numbers.count(ends)) of which failed, to \(output)")
  }
}
