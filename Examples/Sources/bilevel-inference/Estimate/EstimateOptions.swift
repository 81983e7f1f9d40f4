import ArgumentParser
import Econometrics
import Orthogonal

/// How `estimate` estimates.
struct EstimateOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Features of each endogenous column: linear, log, polynomial:DEGREE or fourier:COUNT.",
      valueName: "name"))
  var features = StructuralFeatures.linear

  @Option(
    help: ArgumentHelp(
      "What the exogenous columns do to the outcome: linear, where their nonlinear functions serve "
        + "as instruments, or smooth, where only the instruments identify the effect.",
      valueName: "linear|smooth"))
  var exogenousForm = OrthogonalIV.ExogenousForm.linear

  @Option(
    help: ArgumentHelp(
      "The learner of the regressions: kernel, linear, polynomial:DEGREE (with interactions) or "
        + "network.", valueName: "name"))
  var nuisances = FirstStageLearner.Kind.kernel

  @Option(
    help: ArgumentHelp(
      "The penalty λ of the learner. (default: by leave-one-out error; linear 0; network 0.01)",
      valueName: "number"))
  var ridge: Double?

  @Option(
    help: ArgumentHelp(
      "The length scale of the kernel, in deviations of the columns. (default: least "
        + "leave-one-out error)", valueName: "number"))
  var bandwidth: Double?

  @Option(help: "Folds of a split.")
  var folds = 5

  @Option(help: "Splits, whose estimates are aggregated by the median.")
  var repeats = 5

  @Option(
    help: ArgumentHelp(
      "A column of labels: rows of the same label (a person, a firm) are dependent.",
      valueName: "column"))
  var groups: String?

  @Option(help: "The level of the intervals.")
  var level = 0.95

  @Option(help: "The seed of splits, learners and bootstrap.")
  var seed: UInt64 = 1

  @Flag(help: "Take rows that are the same in all columns as separate observations.")
  var allowDuplicates = false

  /// The regression problem.
  var regression: OrthogonalIV {
    var regression = OrthogonalIV()
    regression.features = features
    regression.exogenousForm = exogenousForm
    regression.learner = FirstStageLearner(nuisances, ridge: ridge, bandwidth: bandwidth)
    regression.crossFitting = CrossFitting(foldCount: folds, repeatCount: repeats, seed: seed)
    return regression
  }

  func requireInRange() throws {
    for (name, value, range) in [("--folds", folds, 2...100), ("--repeats", repeats, 1...1000)]
    where !range.contains(value) {
      throw ValidationError(
        "\(name) must be between \(range.lowerBound) and \(range.upperBound), not \(value)")
    }
    for (name, value) in [("--ridge", ridge), ("--bandwidth", bandwidth)] {
      if let value, !(value > 0 && value.isFinite) {
        throw ValidationError("\(name) must be a positive number, not \(value)")
      }
    }
    if bandwidth != nil, nuisances != .kernel {
      throw ValidationError("--bandwidth is that of a kernel; add --nuisances kernel, or leave it")
    }
    guard (0.5...0.999).contains(level) else {
      throw ValidationError("--level must be between 0.5 and 0.999, not \(level)")
    }
  }
}
