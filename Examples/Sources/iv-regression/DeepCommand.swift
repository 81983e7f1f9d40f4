import ArgumentParser
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
      solves (Xu et al. 2021).

      Without --data, simulates the demand design of Hartford et al. (2017), whose structural \
      function is known, and reports the error against it beside linear 2SLS and the same network \
      without instruments.
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
  var iterations = DeepSettings().iterations

  @Option(help: "Inner steps to one outer iteration.")
  var innerSteps = DeepSettings().innerSteps

  @Option(
    help: ArgumentHelp("Hidden widths of both networks, comma-separated.", valueName: "widths"))
  var hidden = DeepSettings().hidden.map(String.init).joined(separator: ",")

  @Option(help: "Treatment features.")
  var features = DeepSettings().features

  @Option(help: "Learning rate of both networks.")
  var learningRate = DeepSettings().learningRate

  @Option(help: "Coupled weight decay of both networks.")
  var weightDecay = DeepSettings().weightDecay

  @Option(help: "Ridge per observation of the head that predicts treatment features.")
  var firstRidge = DeepSettings().firstRidge

  @Option(help: "Ridge per observation of the head that predicts the outcome.")
  var secondRidge = DeepSettings().secondRidge

  @OptionGroup var shared: SharedOptions

  func validate() throws {
    for (name, value, least) in [
      ("--observations", observations, 10), ("--iterations", iterations, 1),
      ("--inner-steps", innerSteps, 1), ("--features", features, 1),
    ] where value < least {
      throw ValidationError("\(name) must be at least \(least), not \(value)")
    }
    for (name, value) in [
      ("--learning-rate", learningRate), ("--first-ridge", firstRidge),
      ("--second-ridge", secondRidge),
    ] where !(value > 0 && value.isFinite) {
      throw ValidationError("\(name) must be a positive number, not \(value)")
    }
    guard weightDecay >= 0, weightDecay.isFinite else {
      throw ValidationError("--weight-decay must be a number of at least 0, not \(weightDecay)")
    }
    guard (-1...1).contains(correlation) else {
      throw ValidationError("--correlation must be between -1 and 1, not \(correlation)")
    }
    _ = try hiddenWidths()
    if data == nil, !roles.isEmpty {
      throw ValidationError("columns are named but no file; add --data FILE")
    }
  }

  func run() throws {
    let run = DeepRun(
      settings: try settings(),
      specification: try data.map { try roles.specification(data: $0) }, seed: shared.seed)
    let report = try run.run(writingTo: { try shared.outputDirectory() })
    try shared.writeResults(report)
  }

  private func settings() throws -> DeepSettings {
    DeepSettings(
      observations: observations, correlation: correlation, iterations: iterations,
      innerSteps: innerSteps, hidden: try hiddenWidths(), features: features,
      learningRate: learningRate, weightDecay: weightDecay, firstRidge: firstRidge,
      secondRidge: secondRidge)
  }

  private func hiddenWidths() throws -> [Int] {
    try hidden.split(separator: ",").map { text in
      guard let width = Int(text.filter { $0 != " " }), width >= 1 else {
        throw ValidationError("--hidden must list positive widths such as 64,64, not '\(hidden)'")
      }
      return width
    }
  }
}
