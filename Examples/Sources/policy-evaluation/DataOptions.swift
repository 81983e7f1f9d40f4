import ArgumentParser

/// Which columns of the user's file play which part, as options.
struct DataOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A CSV file with a header line and a row for each transition; a simulated CartPole if not "
        + "given.", valueName: "file"))
  var data: String?

  @Option(help: ArgumentHelp("The columns of the state.", valueName: "columns"))
  var state: String?

  @Option(
    help: ArgumentHelp(
      "The columns of the action: one of whole numbers with --action-count, else quantities.",
      valueName: "columns"))
  var action = "action"

  @Option(
    help: ArgumentHelp(
      "The number of kinds of action, numbered from 0 in one column.", valueName: "number"))
  var actionCount: Int?

  @Option(help: ArgumentHelp("The column of the reward.", valueName: "column"))
  var reward = "reward"

  @Option(
    help: ArgumentHelp(
      "The columns of the next state, in the order of --state. (default: 'next_' before each)",
      valueName: "columns"))
  var nextState: String?

  @Option(
    help: ArgumentHelp(
      "The column that is 1 where the process ends and 0 elsewhere, cut-off trajectories included; "
        + "nowhere if not given.", valueName: "column"))
  var terminal: String?

  @Option(
    help: ArgumentHelp(
      "The column of trajectory numbers; rows in the order of time. Independent rows if not given.",
      valueName: "column"))
  var trajectory: String?

  @Option(
    help: ArgumentHelp(
      "A policy of the program to evaluate, instead of --next-action.", valueName: "policy"))
  var policy: BuiltInPolicy?

  @Option(
    help: ArgumentHelp(
      "The columns of the action that the policy to evaluate takes, or a draw of it, at the next "
        + "state.", valueName: "columns"))
  var nextAction: String?

  @Option(
    help: ArgumentHelp(
      "A CSV file of initial states, with the columns of --state; the first states of trajectories "
        + "if not given.", valueName: "file"))
  var initial: String?

  @Option(
    help: ArgumentHelp(
      "With --next-action: the columns of the policy's action at initial states, in the file of "
        + "--initial or else in --data, where the first row of each trajectory counts.",
      valueName: "columns"))
  var initialAction: String?

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
    if let actionCount, actionCount < 2 {
      throw ValidationError("--action-count must be at least 2, found \(actionCount)")
    }
  }

  static func columns(_ list: String) -> [String] {
    list.split(separator: ",").map { name in
      String(name.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
  }
}
