import ArgumentParser
import Autodiff
import ExampleSupport
import HyperparameterProblems
import TensorFiles

/// `hypergradient tune`: one penalty per feature, chosen on validation data.
struct TuneCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tune",
    abstract: "Choose one penalty per feature by descent on the validation loss.",
    discussion: """
      Fits ridge or logistic regression with the penalty Σ exp(yᵢ) xᵢ² / (2d) on the training rows \
      and moves y along the hypergradient of the mean loss on the validation rows. Features are \
      standardised by the training rows, and the labels of a regression centred, unless \
      --no-standardize is given.
      """)

  @Option(
    help: ArgumentHelp("The loss of a row; 'logistic' for two classes.", valueName: "loss"))
  var loss: RowLoss = .squared

  @OptionGroup var data: DataOptions

  @Option(help: "Outer iterations.")
  var iterations = 100

  @Option(help: "The step of an outer iteration.")
  var learningRate = 1.0

  // Unconditional, because it can be negative.
  @Option(parsing: .unconditional, help: "The logarithm of every penalty at the start.")
  var start = 0.0

  @Flag(inversion: .prefixedNo, help: "Standardise the features.")
  var standardize = true

  @OptionGroup var shared: SharedOptions

  func validate() throws {
    guard (1...1_000_000).contains(iterations) else {
      throw ValidationError("--iterations must be between 1 and 1000000, not \(iterations)")
    }
    guard learningRate > 0, learningRate.isFinite else {
      throw ValidationError("--learning-rate must be a positive number, not \(learningRate)")
    }
    guard (-20...20).contains(start) else {
      throw ValidationError("--start must be between -20 and 20, not \(start)")
    }
    try shared.requireJSON(apartFrom: data.files)
  }

  func run() throws {
    var split = try data.split(for: loss, holdsOut: true)
    if standardize { split = split.standardized(centersLabels: loss == .squared) }
    let n = split.training.featureCount
    let problem = try HyperparameterProblem(
      description: "\(loss.rawValue) loss on \(split.training.source)",
      regression: PenalizedRegression(split.training, loss: loss),
      outer: ValidationLoss(split.validation, loss: loss),
      hyperparameters: Tensor(repeating: start, shape: [n]), start: Tensor.zeros([n]))
    let settings = TuneSettings(iterations: iterations, learningRate: learningRate)
    let meter = ProgressMeter(label: "tune", total: iterations, unit: "iteration")
    let steps = try tune(problem, settings: settings) { step in
      meter.update(
        completed: step.iteration, note: "validation \(Numbers.significant(step.outerLoss))")
    }
    meter.finish()
    let report = TuneReport(problem.description, split, steps)
    let directory = try shared.outputDirectory()
    let files = try report.write(to: directory)
    print(report.text)
    print("\nWrote \(files.joined(separator: " and "))")
    try shared.writeResults(report)
  }
}

extension RowLoss: ExpressibleByArgument {}

/// How `tune` moves.
struct TuneSettings: Codable {
  let iterations: Int
  let learningRate: Double
}
