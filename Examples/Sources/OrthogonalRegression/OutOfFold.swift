import Autodiff
import Econometrics
import Orthogonal
import Solvers

/// Features and outcome of the rows of a fold, with what is fitted on the other folds.
struct OutOfFold {
  /// [φ, y] without the linear part of the exogenous variables, [k, d + 1].
  ///
  /// The coefficients of that part come from the other folds: with those of all rows the residuals of
  /// the training folds would point against those of this one, which biases weak first stages.
  let targets: Tensor
  /// The regression of these on instruments and exogenous variables.
  let predictions: Tensor
  /// The regression of these on the exogenous variables alone.
  let exogenousPredictions: Tensor

  /// - Parameters:
  ///   - columns: [φ, y] of all rows, [n, d + 1].
  ///   - held: The rows of the fold.
  ///   - training: The rows of the other folds.
  init(
    _ columns: Tensor, _ model: InstrumentalModel, _ learner: NuisanceLearner, held: Tensor,
    training: Tensor, seed: UInt64
  ) throws(SolverError) {
    let exogenous = model.varyingExogenous
    let all = Regression(model.instruments + exogenous, held: held, training: training, seed: seed)
    let (own, others) = (
      columns.gathering(held, alongAxis: 0), columns.gathering(training, alongAxis: 0)
    )
    guard !exogenous.isEmpty else {
      targets = own
      predictions = try all(learner, of: others).held
      exogenousPredictions = .zeros(like: own)
      return
    }
    let alone = Regression(exogenous, held: held, training: training, seed: seed)
    let linear = try alone(FirstStageLearner(.linear).nuisances, of: others)
    targets = own - linear.held
    predictions = try all(learner, of: others - linear.training).held
    exogenousPredictions = try alone(learner, of: others - linear.training).held
  }
}

/// Regressions on some variables, fitted on training rows.
private struct Regression {
  private let held: Tensor
  private let training: Tensor
  private let seed: UInt64

  init(_ variables: [Variable], held: Tensor, training: Tensor, seed: UInt64) {
    let inputs = Standardization.matrix(variables.map(\.values))
    self.held = inputs.gathering(held, alongAxis: 0)
    self.training = inputs.gathering(training, alongAxis: 0)
    self.seed = seed
  }

  /// Predictions at held-out and at training rows.
  func callAsFunction(
    _ learner: NuisanceLearner, of targets: Tensor
  ) throws(SolverError) -> (held: Tensor, training: Tensor) {
    let fitted = try AffineProblem(inputs: training, innerSlope: targets)
    // The rows of predictions are those of a problem, whose own targets play no part.
    let rows = Tensor.concatenated([held, training], alongAxis: 0)
    let points = try AffineProblem(
      inputs: rows, innerSlope: .zeros([rows.shape[0], targets.shape[1]]))
    let predictions = try points.nuisances(learner, trainedOn: fitted, seed: seed).slope
    let count = held.shape[0]
    return (
      predictions.slice(0..<count, alongAxis: 0),
      predictions.slice(count..<rows.shape[0], alongAxis: 0)
    )
  }
}
