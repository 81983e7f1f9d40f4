import ArgumentParser
import Autodiff
import ControlProblems
import Orthogonal
import TensorFiles

/// What is evaluated on what, from files or simulation.
struct EvaluationData {
  /// A name for the source.
  let source: String
  let transitions: Transitions
  let policy: EvaluationPolicy
  let policyTitle: String
  let initial: InitialStates
  let hasNumberedActions: Bool
  /// The policy whose truth is known; nil for the user's data.
  let simulated: BuiltInPolicy?

  /// Simulated data.
  init(
    _ policy: BuiltInPolicy, _ simulation: SimulationOptions, generator: PhiloxGenerator
  ) throws {
    let process = policy.process
    source = "simulated (\(process.rawValue))"
    transitions = try simulation.log(process, generator: generator).transitions(
      actionCount: process.actionCount, stateColumns: process.evaluationColumns)
    self.policy = policy.evaluation
    policyTitle = policy.title
    initial = .firstOfTrajectories
    hasNumberedActions = process.actionCount != nil
    simulated = policy
  }

  /// The user's data.
  init(_ options: DataOptions, from path: String) throws {
    let table = try CSVTable(contentsOfFile: path)
    let states = options.state?.values ?? []
    let nextStates = options.nextState?.values ?? states.map { "next_" + $0 }
    guard states.count == nextStates.count, !states.isEmpty else {
      throw ValidationError(
        "--state names \(states.count) columns and --next-state \(nextStates.count); name as many")
    }
    let terminal = try options.terminal.map { name in
      try table.column(name, "a terminal mark must be 0 or 1") {
        $0 == 0 ? false : $0 == 1 ? true : nil
      }
    }
    let ends = terminal ?? Array(repeating: false, count: table.rowCount)
    let actions = options.action.values
    let trajectories = try options.trajectory.map { name in
      try table.column(name, "a trajectory must be a whole number") { Int(exactly: $0) }
    }
    let logged = try table.actions(actions, options.actionCount)
    transitions = try Transitions(
      states: try table.matrix(states), actions: logged,
      rewards: Tensor(try table.completeNumbers(options.reward)),
      nextStates: try table.matrix(nextStates, optionalWhere: ends), isTerminal: ends,
      trajectories: trajectories)
    hasNumberedActions = options.actionCount != nil
    source = table.source

    let initialTable = try options.initial.map { try CSVTable(contentsOfFile: $0) }
    initial = try initialTable.map { .sample(try $0.matrix(states)) } ?? .firstOfTrajectories
    // The truth of a process is not that of a file, whatever wrote it.
    simulated = nil
    if let builtIn = options.policy {
      let process = builtIn.process
      let names = process.evaluationColumns.map { process.stateNames[$0] }
      guard states.count == names.count, options.actionCount == process.actionCount
      else {
        throw ValidationError(
          "--policy \(builtIn.rawValue) acts on the state \(names.joined(separator: ", ")) and "
            + (process.actionCount.map { "\($0) kinds of action (--action-count \($0))" }
              ?? "a continuous action (no --action-count)")
            + ", but the data have other ones; name the columns so, or give --next-action")
      }
      policy = builtIn.evaluation
      policyTitle = builtIn.title
    } else {
      let next = options.nextAction?.values ?? []
      let first = options.initialAction?.values ?? []
      guard next.count == actions.count, first.count == actions.count else {
        throw ValidationError(
          "--action, --next-action and --initial-action must name as many columns each, found "
            + "\(actions.count), \(next.count) and \(first.count)")
      }
      var initialActions = try (initialTable ?? table).actions(first, options.actionCount)
      if initialTable == nil {
        var seen: Set<Int> = []
        let rows = (trajectories ?? []).enumerated().filter { seen.insert($0.element).inserted }
        initialActions = initialActions.gathering(
          Tensor(indices: rows.map(\.offset)), alongAxis: 0)
      }
      policy = .recorded(
        nextActions: try table.actions(next, options.actionCount, optionalWhere: ends),
        initialActions: initialActions)
      policyTitle = "as recorded in \(next.joined(separator: ", "))"
    }
  }
}

/// A field that cannot be used.
struct BadField: Error, CustomStringConvertible {
  let position: TextPosition
  let reason: String

  var description: String { "\(position): \(reason); correct the field, or remove the row" }
}

extension CSVTable {
  /// A column of finite numbers.
  ///
  /// - Parameter optional: Rows in which a number may be missing, which is NaN then.
  fileprivate func completeNumbers(_ name: String, optionalWhere optional: [Bool]? = nil) throws
    -> [Double]
  {
    try numbers(name).enumerated().map { row, value in
      if let value, value.isFinite { return value }
      if optional?[row] == true { return .nan }
      throw BadField(
        position: try position(row: row, column: name),
        reason: value == nil
          ? "the value is missing"
          : "the number is not finite (\"\(try text(row: row, column: name))\")")
    }
  }

  /// A column of finite numbers, each of which stands for a value.
  fileprivate func column<Value>(
    _ name: String, _ rule: String, _ value: (Double) -> Value?
  ) throws -> [Value] {
    try completeNumbers(name).enumerated().map { row, number in
      guard let value = value(number) else {
        throw BadField(position: try position(row: row, column: name), reason: rule)
      }
      return value
    }
  }

  /// Columns side by side, [n, columns].
  fileprivate func matrix(_ names: [String], optionalWhere optional: [Bool]? = nil) throws
    -> Tensor
  {
    .stacked(
      try names.map { Tensor(try completeNumbers($0, optionalWhere: optional)) }, alongAxis: 1)
  }

  /// Actions, numbered ones as columns of zeros and ones.
  ///
  /// - Parameter optional: Rows in which an action may be missing, which is 0 then.
  fileprivate func actions(
    _ names: [String], _ count: Int?, optionalWhere optional: [Bool]? = nil
  ) throws -> Tensor {
    var columns = try names.map { try completeNumbers($0, optionalWhere: optional) }
    if let count, names.count != 1 {
      throw ValidationError(
        "--action-count \(count) needs one column of numbered actions, found \(names.count)")
    }
    if let optional {
      for column in columns.indices {
        for row in optional.indices where optional[row] { columns[column][row] = 0 }
      }
    }
    guard let count else {
      return .stacked(columns.map { Tensor($0) }, alongAxis: 1)
    }
    return try Transitions.oneHot(columns[0], count: count)
  }
}
