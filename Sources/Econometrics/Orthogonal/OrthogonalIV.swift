import Autodiff
import Inference
import Orthogonal

/// Instrumental-variable regression with a nonparametric first stage, as a bilevel problem.
///
///     h_ω = argmin_h E[½ (h(Z, W) − φ(T)ᵀω − g(W))²],   min over ω, g of E[½ (h_ω(Z, W) − Y)²]
///
/// The structural function is φ(T)ᵀω + g(W): features of the endogenous variables T, and of the
/// exogenous ones W a linear or any smooth function g. ω is the root of the cross-fitted orthogonal
/// gradient, with the sandwich covariance.
///
///     print(try OrthogonalIV().fit(model).result())
///
/// W is taken out of features and outcome first, by least squares on the other folds and for a
/// smooth g by the learner too. So the regressions on (Z, W) have no noise in the direction of W,
/// which with many exogenous variables is more than what weak instruments say, and linear nuisances
/// come near two-stage least squares.
public struct OrthogonalIV: Sendable {
  /// What the exogenous variables do to the outcome.
  public enum ExogenousForm: String, Sendable, CaseIterable, Codable {
    /// g(W) = Wᵀβ: nonlinear functions of W serve as instruments.
    case linear
    /// Any g that the learner can learn: only the instruments identify the effect.
    case smooth
  }

  /// φ.
  public var features = StructuralFeatures.linear
  /// g.
  public var exogenousForm = ExogenousForm.linear
  /// Of the regressions on instruments and exogenous variables.
  public var learner = FirstStageLearner()
  /// The splits, in which rows of one cluster stay together.
  ///
  /// Rows that repeat others are separate observations to it: count them by
  /// `InstrumentalModel.repeatedRowCount`.
  public var crossFitting = CrossFitting()

  /// Linear features, kernel ridge regression and one split.
  public init() {}

  /// Estimates the coefficients.
  ///
  /// - Throws: `ModelError`, `FeatureError`, or the error of a solver or of the inference.
  public func fit(_ model: InstrumentalModel) throws -> OrthogonalIVFit {
    if model.weights != nil { throw ModelError.weightsUnsupported(by: "the orthogonal regression") }
    let outcome = model.outcome.column
    let value = outcome.max().scalar
    if outcome.min().scalar == value {
      throw OrthogonalError.constantTarget(what: "values of \(model.outcome.name)", value: value)
    }
    try model.requireOutcomeToExplain()
    crossFitting.requireNoSplit("OrthogonalIV", "orthogonal instrumental variables")
    let partialled = try PartialledModel(model, features)
    let splits = try (0..<crossFitting.repeatCount).map { repetition in
      try OrthogonalIVSplit(
        self, model, partialled,
        folds: try folds(model.observationCount, model.clusters, repetition))
    }
    return try OrthogonalIVFit(self, model, splits, partialled)
  }

  private func folds(_ rowCount: Int, _ clusters: [Int]?, _ repetition: Int) throws -> Folds {
    var generator = crossFitting.generator(repetition)
    return try crossFitting.folds(
      ofRows: rowCount, groups: clusters, repetition, using: &generator)
  }
}
