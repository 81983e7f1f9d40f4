import Autodiff
import Inference
import Orthogonal

/// The scores of one split of the rows in folds.
struct OrthogonalIVSplit {
  /// The scores of ω in units of the residual deviations of the features.
  let affine: AffineFit
  /// The root, on a sample that all splits share.
  let root: Estimate
  /// The size of the residuals at the root in units of that of the outcome, the linear part of the
  /// exogenous variables taken out.
  let residualShare: Double
  /// The out-of-fold R² of features and outcome on instruments and exogenous variables, all with
  /// the linear part of the exogenous variables taken out.
  let rSquared: [Double]
  /// The same on the exogenous variables alone.
  let rSquaredOfExogenous: [Double]

  init(
    _ regression: OrthogonalIV, _ model: InstrumentalModel, _ partialled: PartialledModel,
    folds: Folds
  ) throws {
    let columns = Tensor.concatenated(
      [partialled.features, partialled.outcome.expandingShape(at: 1)], alongAxis: 1)
    let places = (0..<folds.count).map { folds.held($0) }
    let parts = try places.enumerated().map { fold, held in
      try OutOfFold(
        columns, model, regression.learner.nuisances, held: held, training: folds.training(fold),
        seed: regression.crossFitting.seed &+ UInt64(fold))
    }
    func together(_ part: (OutOfFold) -> Tensor) -> Tensor {
      .reassembled(parts.map(part), at: places)
    }
    let (targets, all, alone) = (
      together(\.targets), together(\.predictions), together(\.exogenousPredictions)
    )
    rSquared = Self.rSquared(targets, all)
    rSquaredOfExogenous = Self.rSquared(targets, alone)

    // What the exogenous variables say is no part of g, or it is and identifies nothing.
    let known = regression.exogenousForm == .smooth ? alone : Tensor.zeros(like: alone)
    let (left, nuisances) = (targets - known, all - known)
    let dimension = partialled.names.count
    affine = try AffineProblem(
      inputs: .zeros([model.observationCount, 1]), innerSlope: left[0..., 0..<dimension],
      outcome: left[0..., dimension], names: partialled.names, groups: model.clusters
    ).fit(
      given: AffineNuisances(
        intercept: .zeros([model.observationCount]), slope: nuisances[0..., 0..<dimension],
        outcome: nuisances[0..., dimension]))
    let own: Estimate
    do { own = try affine.root() } catch {
      guard case .function(let reason) = error,
        case .rootNotIdentified? = reason as? OrthogonalError
      else { throw error }
      throw ModelError.notIdentified(names: partialled.names)
    }
    let outcome = left[0..., dimension]
    let residuals =
      outcome
      - matmul(left[0..., 0..<dimension], own.value.expandingShape(at: 1)).squeezingShape(at: 1)
    residualShare = (residuals.norm() / outcome.norm()).scalar
    root = try Estimate(
      value: own.value, names: own.names,
      influence: [
        InfluenceRows(own.influence[0].rows, sample: partialled.sample, clusters: model.clusters)
      ])
  }

  /// 1 − mean squared error / variance of each column.
  private static func rSquared(_ targets: Tensor, _ predictions: Tensor) -> [Double] {
    let unexplained = square(targets - predictions).mean(alongAxis: 0)
    return (1 - unexplained / targets.variance(alongAxes: [0])).scalars
  }
}
