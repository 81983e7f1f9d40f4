import Autodiff
import Bilevel
import Solvers

/// A regression of several targets in the class that a learner has chosen: a function of inputs.
public struct FittedRegression: Sendable {
  private let basis: FeatureBasis
  private let weights: Tensor

  init(_ basis: FeatureBasis, _ weights: Tensor) { (self.basis, self.weights) = (basis, weights) }

  /// Predictions, [k, c], at inputs, [k, p].
  public func callAsFunction(_ inputs: Tensor) -> Tensor { matmul(basis(inputs), weights) }
}

extension NuisanceLearner {
  /// The regression of targets on inputs.
  ///
  /// Predictions are those of the class as it is: `clipsPredictions` is for the folds of a fit.
  ///
  /// - Parameters:
  ///   - inputs: x, [n, p].
  ///   - targets: [n, c].
  ///   - seed: Of what is random in the rule.
  /// - Throws: `SolverError.function` with an `OrthogonalError` where a number is not finite or the
  ///   features are linearly dependent, or with the error of the rule.
  public func fitted(
    inputs: Tensor, targets: Tensor, seed: UInt64 = 0
  ) throws(SolverError) -> FittedRegression {
    guard inputs.rank == 2, targets.rank == 2, inputs.shape[0] == targets.shape[0],
      inputs.shape[0] > 0
    else {
      stop(
        "NuisanceLearner.fitted",
        "expected inputs [n, p] and targets [n, c], found \(inputs.shape) and \(targets.shape)")
    }
    let (inputs, targets) = (inputs.cast(to: .float64), targets.cast(to: .float64))
    try inputs.requireFiniteRows("inputs")
    try targets.requireFiniteRows("targets")
    var fold = NuisanceFold(
      inputs: inputs, targets: targets, generator: PhiloxGenerator(seed: seed))
    let smoother = try Smoother(try linearClass(for: &fold), inputs: inputs)
    return FittedRegression(smoother.basis, try smoother.weights(targets))
  }
}
