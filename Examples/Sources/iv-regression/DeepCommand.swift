import ArgumentParser
import Econometrics
import ExampleSupport

/// `iv-regression deep`: nonlinear instrumental-variable regression with learned features.
struct DeepCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "deep",
    abstract: "Nonlinear regression with instruments, by networks with closed-form heads.",
    discussion: """
      Fits y = f(x, w) + e with E[e | z, w] = 0: an outer network gives features of the endogenous \
      columns x and the exogenous columns w, an inner network features of the instruments z and w; \
      the linear heads of both are solved in closed form and the outer gradient goes through the \
      solves (Xu et al. 2021). Ctrl-C ends the training and reports what is trained by then.

      Without --data, simulates the demand design of Hartford et al. (2017), whose structural \
      function is known, and reports the error against it beside linear 2SLS and the same network \
      without instruments. Intervals are those of a linear head on the learned features, refitted on \
      rows that nothing was learned from. Networks and ridges default to a larger model for the simulation than for \
      a file, which often has fewer rows.
      """)

  @Option(
    help: ArgumentHelp("A CSV file with a header line; simulated if not given.", valueName: "file"))
  var data: String?

  @OptionGroup var roles: ColumnRoles

  @Option(help: "Observations to simulate.")
  var observations = DeepSettings().observations

  @Option(help: "Correlation of the shocks to price and demand in the simulation.")
  var correlation = DeepSettings().correlation

  @Option(help: "Outer iterations.")
  var iterations: Int?

  @Option(help: "Inner steps to one outer iteration.")
  var innerSteps: Int?

  @Option(
    help: ArgumentHelp("Hidden widths of both networks, comma-separated.", valueName: "widths"))
  var hidden: String?

  @Option(help: "Treatment features.")
  var features: Int?

  @Option(help: "Learning rate of both networks.")
  var learningRate: Double?

  @Option(help: "Coupled weight decay of both networks. (default: 0.0001)")
  var weightDecay: Double?

  @Option(
    help: """
      Ridge per observation of the head that predicts treatment features. (default: 0.001 for a file, \
      0.0001 for the simulation)
      """)
  var firstRidge: Double?

  @Option(
    help: """
      Ridge per observation of the head that predicts the outcome. (default: 0.01 for a file, 0.0001 \
      for the simulation)
      """)
  var secondRidge: Double?

  @Option(
    help: ArgumentHelp(
      "The share of a file's rows kept from learning, on which intervals are found; 0 for none. "
        + "(default: 0.25)", valueName: "share"))
  var heldOut: Double?

  @OptionGroup var shared: SharedOptions

  func validate() throws {
    let model = try settings().model
    for (name, value, range) in [
      ("--observations", observations, 10...10_000_000),
      ("--iterations", model.iterations, 1...1_000_000),
      ("--inner-steps", model.innerSteps, 1...10_000),
      ("--features", model.features, 1...4096),
    ] where !range.contains(value) {
      throw ValidationError(
        "\(name) must be between \(range.lowerBound) and \(range.upperBound), not \(value)")
    }
    for (name, value) in [
      ("--learning-rate", model.learningRate), ("--first-ridge", model.firstRidge),
      ("--second-ridge", model.secondRidge),
    ] where !(value > 0 && value.isFinite) {
      throw ValidationError("\(name) must be a positive number, not \(value)")
    }
    guard model.weightDecay >= 0, model.weightDecay.isFinite else {
      throw ValidationError(
        "--weight-decay must be a number of at least 0, not \(model.weightDecay)")
    }
    guard (-1...1).contains(correlation) else {
      throw ValidationError("--correlation must be between -1 and 1, not \(correlation)")
    }
    guard (0...0.8).contains(model.heldOut) else {
      throw ValidationError("--held-out must be between 0 and 0.8, not \(model.heldOut)")
    }
    if data == nil, heldOut != nil {
      throw ValidationError("--held-out is for files; a simulation draws new rows for intervals")
    }
    try shared.outputs.requireJSON(apartFrom: data)
    if data == nil, !roles.isEmpty {
      throw ValidationError("columns are named but no file; add --data FILE")
    }
  }

  func run() throws {
    try shared.outputs.requireUsable()
    let run = DeepRun(settings: try settings(), data: data, roles: roles, seed: shared.seed)
    let report = try run.run(writingTo: { try shared.outputs.directory() })
    try shared.outputs.writeResults(report)
    // As the system has it for a program that ends by Ctrl-C.
    if report.isInterrupted { throw ExitCode(130) }
  }

  /// The defaults for a file or for the simulation, with what the options say.
  private func settings() throws -> DeepSettings {
    var model = data == nil ? DeepSettings.forSimulation : DeepIV()
    model.iterations = iterations ?? model.iterations
    model.innerSteps = innerSteps ?? model.innerSteps
    model.hidden = try hidden.map(Self.widths) ?? model.hidden
    model.features = features ?? model.features
    model.learningRate = learningRate ?? model.learningRate
    model.weightDecay = weightDecay ?? model.weightDecay
    model.firstRidge = firstRidge ?? model.firstRidge
    model.secondRidge = secondRidge ?? model.secondRidge
    model.heldOut = heldOut ?? model.heldOut
    return DeepSettings(observations: observations, correlation: correlation, model: model)
  }

  private static func widths(_ hidden: String) throws -> [Int] {
    try hidden.split(separator: ",").map { text in
      guard let width = Int(text.filter { $0 != " " }), (1...16_384).contains(width) else {
        throw ValidationError(
          "--hidden must list widths between 1 and 16384, such as 64,64, not '\(hidden)'")
      }
      return width
    }
  }
}
