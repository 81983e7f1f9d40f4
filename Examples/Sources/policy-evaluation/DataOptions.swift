import ArgumentParser
import ExampleSupport

/// Which columns of the user's file play which part, as options.
struct DataOptions: ParsableArguments {
  @Option(
    help: .value(
      "file",
      "A CSV file with a header line and a row for each transition; a simulated CartPole if not "
        + "given."))
  var data: String?

  @Option(help: .value("columns", "The columns of the state."))
  var state: CommaList<String>?

  @Option(
    help: .value(
      "columns",
      "The columns of the action: one of whole numbers with --action-count, else quantities."))
  var action = CommaList(["action"])

  @Option(
    help: .value("number", "The number of kinds of action, numbered from 0 in one column."))
  var actionCount: Int?

  @Option(help: .value("column", "The column of the reward."))
  var reward = "reward"

  @Option(
    help: .value(
      "columns",
      "The columns of the next state, in the order of --state. (default: 'next_' before each)"))
  var nextState: CommaList<String>?

  @Option(
    help: .value(
      "column",
      "The column that is 1 where the process ends and 0 elsewhere, cut-off trajectories included; "
        + "nowhere if not given."))
  var terminal: String?

  @Option(
    help: .value(
      "column",
      "The column of trajectory numbers; rows in the order of time. Independent rows if not given.")
  )
  var trajectory: String?

  @Option(
    help: .value("policy", "A policy of the program to evaluate, instead of --next-action."))
  var policy: BuiltInPolicy?

  @Option(
    help: .value(
      "columns",
      "The columns of the action that the policy to evaluate takes, or a draw of it, at the next "
        + "state."))
  var nextAction: CommaList<String>?

  @Option(
    help: .value(
      "file",
      "A CSV file of initial states, with the columns of --state; the first states of trajectories "
        + "if not given."))
  var initial: String?

  @Option(
    help: .value(
      "columns",
      "With --next-action: the columns of the policy's action at initial states, in the file of "
        + "--initial or else in --data, where the first row of each trajectory counts."))
  var initialAction: CommaList<String>?

  func validate() throws {
    guard data != nil else {
      if state != nil || nextState != nil || nextAction != nil || initial != nil {
        throw ValidationError(
          "--data is not given, so there are no columns to name; give a CSV file, or leave the "
            + "columns out to evaluate on a simulated CartPole")
      }
      return
    }
    guard state != nil else {
      throw ValidationError(
        "--state must name the columns of the state; for example: --state x,v --action push "
          + "--action-count 2 --reward r --terminal done --trajectory episode --policy balancing")
    }
    guard (policy == nil) != (nextAction == nil) else {
      throw ValidationError(
        "give either --next-action, the columns of the evaluated policy's action at the next "
          + "state, or --policy; found \(policy == nil ? "neither" : "both")")
    }
    guard nextAction == nil || initialAction != nil else {
      throw ValidationError(
        "--next-action needs --initial-action, the columns of the policy's action at initial states"
      )
    }
    guard initial != nil || trajectory != nil else {
      throw ValidationError(
        "initial states are not known: give --trajectory, to start where trajectories start, or "
          + "--initial, a file of initial states")
    }
    try requireAtLeast(2, ("--action-count", actionCount))
  }
}
