import Autodiff
import Orthogonal

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
  ) throws {
    func split(_ rows: Tensor) -> (held: Tensor, training: Tensor) {
      (rows.gathering(held, alongAxis: 0), rows.gathering(training, alongAxis: 0))
    }
    let exogenous = model.varyingExogenous
    let all = split(Standardization.matrix(model.instruments + exogenous))
    let (own, others) = split(columns)
    func predicted(
      _ learner: NuisanceLearner, _ inputs: (held: Tensor, training: Tensor), of targets: Tensor
    ) throws -> Tensor {
      try learner.fitted(inputs: inputs.training, targets: targets, seed: seed)(inputs.held)
    }
    guard !exogenous.isEmpty else {
      targets = own
      predictions = try predicted(learner, all, of: others)
      exogenousPredictions = .zeros(like: own)
      return
    }
    let alone = split(Standardization.matrix(exogenous))
    let linear = try FirstStageLearner(.linear).nuisances
      .fitted(inputs: alone.training, targets: others, seed: seed)
    let left = others - linear(alone.training)
    targets = own - linear(alone.held)
    predictions = try predicted(learner, all, of: left)
    exogenousPredictions = try predicted(learner, alone, of: left)
  }
}
