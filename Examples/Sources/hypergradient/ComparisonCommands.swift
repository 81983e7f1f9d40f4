import ArgumentParser
import HyperparameterProblems

/// `hypergradient ridge`: estimators on ridge regression with one penalty per coefficient.
struct RidgeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ridge",
    abstract: "Compare estimators on ridge regression with one penalty per coefficient.",
    discussion: """
      Inner problem: |Ax - b|² / (2N) + Σ exp(yᵢ) xᵢ² / (2d). The error of each estimator of the \
      derivative of the outer objective in y is measured against the exact answer, as a function of \
      the error of x. Without --data or --simulate: Auto MPG, 297 cars and 7 features.

      \(EstimatorName.help)
      """)

  @OptionGroup var options: ComparisonOptions

  func run() throws {
    try ComparisonRun(options: options, loss: .squared).run()
  }
}

/// `hypergradient logistic`: estimators on logistic regression with one penalty per coefficient.
struct LogisticCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "logistic",
    abstract: "Compare estimators on logistic regression with one penalty per coefficient.",
    discussion: """
      Inner problem: mean log(1 + exp(-b a·x)) + Σ exp(yᵢ) xᵢ² / (2d). The error of each estimator \
      of the derivative of the outer objective in y is measured against the exact answer, as a \
      function of the error of x. Without --data or --simulate: liver disorders, 144 men for \
      training and 200 for validation, 5 features.

      \(EstimatorName.help)
      """)

  @OptionGroup var options: ComparisonOptions

  func run() throws {
    try ComparisonRun(options: options, loss: .logistic).run()
  }
}
