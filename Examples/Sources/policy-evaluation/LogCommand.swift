import ArgumentParser
import Autodiff
import ControlProblems
import ExampleSupport
import TensorFiles

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

  @Option(help: "The number of trajectories. (default: 300 for cartpole, 1000 for sine)")
  var trajectories: Int?

  @Option(help: "The most transitions of a trajectory. (default: 100 for cartpole, 1 for sine)")
  var limit: Int?

  @Option(help: "The seed.")
  var seed: UInt64 = 1

  @Option(help: ArgumentHelp("The file to write.", valueName: "file"))
  var output = "transitions.csv"

  func validate() throws {
    for (value, name) in [(trajectories, "trajectories"), (limit, "limit")] {
      if let value, value < 1 { throw ValidationError("--\(name) must be at least 1") }
    }
  }

  func run() throws {
    try requireWritable(output)
    try process.requireMemory(trajectories: trajectories, limit: limit, stepByteCount: 500)
    let log = process.log(
      trajectories: trajectories ?? process.defaultTrajectories,
      limit: limit ?? process.defaultLimit, generator: PhiloxGenerator(seed: seed))
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
    let ends = log.rows.count { $0.step.isTerminal }
    print(
      "Wrote \(Numbers.count(log.rows.count)) transitions of "
        + "\(Numbers.count(trajectories ?? process.defaultTrajectories)) trajectories, "
        + "\(Numbers.count(ends)) of which failed, to \(output)")
  }
}
