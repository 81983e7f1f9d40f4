import Autodiff
import Econometrics
import Inference
import Orthogonal
import Solvers

/// Instrumental-variable regression with a nonparametric first stage, as a bilevel problem.
///
///     h_ω = argmin_h E[½ (h(Z, W) − φ(T)ᵀω − g(W))²],   min over ω, g of E[½ (h_ω(Z, W) − Y)²]
///
/// The structural function is φ(T)ᵀω + g(W): features of the endogenous variables T, and of the
/// exogenous ones W a linear or any smooth function g. ω is the root of the cross-fitted orthogonal
/// gradient, with the sandwich covariance.
///
/// W is taken out of features and outcome first, by least squares on the other folds and for a
/// smooth g by the learner too. So the regressions on (Z, W) have no noise in the direction of W,
/// which with many exogenous variables is more than what weak instruments say, and linear nuisances
/// come near two-stage least squares.
public struct OrthogonalIV: Sendable {
  /// What the exogenous variables do to the outcome.
  public enum ExogenousForm: String, Sendable, CaseIterable {
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
  /// The splits.
  ///
  /// Repeated rows are separate observations to it: find them by `repeatedRows(of:groups:)`.
  public var crossFitting = CrossFitting()

  /// Linear features, kernel ridge regression and one split.
  public init() {}

  /// Estimates the coefficients.
  ///
  /// - Parameter groups: The group of every row; rows of different groups are independent.
  /// - Throws: `ModelError`, `FeatureError`, `SolverError` or `InferenceError`.
  public func fit(_ model: InstrumentalModel, groups: [Int]? = nil) throws -> OrthogonalIVFit {
    let outcome = model.outcome
    if let value = outcome.values.first, outcome.values.allSatisfy({ $0 == value }) {
      throw OrthogonalError.constantTarget(what: "values of \(outcome.name)", value: value)
    }
    try model.requireOutcomeToExplain()
    let partialled = try PartialledModel(model, features)
    var splits: [OrthogonalIVSplit] = []
    for repetition in 0..<crossFitting.repeatCount {
      splits.append(
        try OrthogonalIVSplit(
          self, model, partialled, folds: try folds(model.observationCount, groups, repetition),
          groups: groups))
    }
    let isLinear = exogenousForm == .linear
    return try OrthogonalIVFit(
      splits, partialled, hasSmoothPart: !isLinear,
      exogenousReason: isLinear ? try model.exogenousLeverageReason(clusters: groups) : nil)
  }

  private func folds(
    _ rowCount: Int, _ groups: [Int]?, _ repetition: Int
  ) throws(SolverError) -> Folds {
    if let given = crossFitting.folds { return given[repetition] }
    var generator = PhiloxGenerator(seed: crossFitting.seed).split(key: UInt64(repetition))
    if let groups { return try Folds(crossFitting.foldCount, ofGroups: groups, using: &generator) }
    return try Folds(crossFitting.foldCount, ofRows: rowCount, using: &generator)
  }

  /// The number of rows that repeat an earlier one in all columns of the model; repetitions within
  /// a group do not count.
  public static func repeatedRows(of model: InstrumentalModel, groups: [Int]? = nil) -> Int {
    let columns = ([model.outcome] + model.regressors + model.instruments).map(\.values)
    var groupOfFirst: [[Double]: Int] = [:]
    return (0..<model.observationCount).count { row in
      let (group, values) = (groups?[row] ?? row, columns.map { $0[row] })
      guard let first = groupOfFirst[values] else {
        groupOfFirst[values] = group
        return false
      }
      return first != group
    }
  }
}

extension InstrumentalModel {
  /// The exogenous variables without the constant, which learners and heads have already.
  public var varyingExogenous: [Variable] { exogenous.filter { $0.name != Self.constantName } }
}
