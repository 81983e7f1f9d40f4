import Autodiff
import Bilevel
import Solvers

/// Orthogonal bilevel gradients, which are estimates of ∇F with confidence intervals.
///
///     F(ω) = E[ℓ_out(ω, h_ω(X), O)],   h_ω = argmin_h E[ℓ_in(ω, h(X), O)]
///
/// is an objective of the population. The estimator is the total ω-derivative of the debiased value
///
///     mean of ℓ_out(ω, h_ω(xᵢ), oᵢ) + a_ω(xᵢ)ᵀ ∂ᵥℓ_in(ω, h_ω(xᵢ), oᵢ)
///
/// on rows that the nuisances h and a = −E[∂²ᵥℓ_in | X]⁻¹ E[∂ᵥℓ_out | X] were not fitted on. With the
/// Jacobians J = ∂_ω h and b = ∂_ω a of the fits this is the efficient score
///
///     φ = ∂_ωℓ_out + Jᵀ∂ᵥℓ_out + bᵀ∂ᵥℓ_in + (∂_ω∂ᵥℓ_in)ᵀ a + Jᵀ ∂²ᵥℓ_in a
///
/// whose mean is insensitive to first order to errors of all four. Nuisances are fitted as
/// differentiable operators, so J and b are never formed.
///
///     let layer = OBiGrad<Tensor, Labels, Labels>(
///       outputCount: 1, nuisances: .kernelRidge(),
///       innerLoss: { ω, v, x, y in 0.5 * square(v - target(ω, y)).sum(alongAxis: 1) },
///       outerLoss: { ω, v, x, y in 0.5 * square(v - y.outcome).sum(alongAxis: 1) })
///     let fit = try layer.fit(on: BilevelSample(sample), at: ω)
///     print(try fit.hypergradient(at: ω).summary())
///
/// Where both losses are squares, `OBiGrad.quadratic` uses the doubly robust closed form; where the
/// targets are affine in ω too, `AffineProblem` needs one regression for every ω.
///
/// El Khoury, Zenati, Kallus, Arbel and Bibaut, Semiparametric efficient bilevel gradient estimation
/// (2026).
public struct OBiGrad<
  Outer: TensorTree, InnerLabels: TensorTree & Sendable, OuterLabels: TensorTree & Sendable
>: Sendable {
  /// A loss of a batch of rows: from ω, v = h(x), [n, q], x, [n, p], and what else the rows have to
  /// [n].
  public typealias Loss<Labels> =
    @Sendable (
      _ outer: Outer, _ v: Tensor, _ x: Tensor, _ y: Labels
    ) throws -> Tensor
  /// Targets of a batch of rows, [n, q].
  public typealias Target<Labels> =
    @Sendable (
      _ outer: Outer, _ x: Tensor, _ y: Labels
    ) throws -> Tensor

  enum Losses: Sendable {
    case general(
      inner: PointwiseLoss<Outer, InnerLabels>, outer: PointwiseLoss<Outer, OuterLabels>)
    case quadratic(QuadraticTargets<Outer, InnerLabels, OuterLabels>)
  }

  let losses: Losses
  /// q, the number of outputs of h.
  public let outputCount: Int
  /// How h and a are learned.
  public var nuisances: NuisanceLearner
  /// How the sample is split.
  public var crossFitting: CrossFitting
  /// Whether the debiasing term is there; without it this is the plug-in functional hypergradient.
  public var isOrthogonal = true

  /// A layer for any losses.
  ///
  /// - Parameters:
  ///   - outputCount: q.
  ///   - innerLoss: ℓ_in, strongly convex in v given x, three times differentiable in v.
  ///   - outerLoss: ℓ_out, twice differentiable in v.
  @preconcurrency
  public init(
    outputCount: Int, nuisances: NuisanceLearner, crossFitting: CrossFitting = CrossFitting(),
    innerLoss: @escaping Loss<InnerLabels>, outerLoss: @escaping Loss<OuterLabels>
  ) {
    self.init(
      .general(
        inner: PointwiseLoss(innerLoss), outer: PointwiseLoss(outerLoss)),
      outputCount, nuisances, crossFitting)
  }

  private init(
    _ losses: Losses, _ outputCount: Int, _ nuisances: NuisanceLearner,
    _ crossFitting: CrossFitting
  ) {
    guard outputCount > 0 else {
      stop("OBiGrad", "a prediction has at least one output, found \(outputCount)")
    }
    self.losses = losses
    self.outputCount = outputCount
    self.nuisances = nuisances
    self.crossFitting = crossFitting
  }

  /// A layer for ℓ_in = ½ ‖v − g_ω‖² and ℓ_out = ½ ‖v − y_ω‖² in the doubly robust closed form; of two
  /// samples these are losses like any other.
  ///
  /// Nuisances are the regressions h of g_ω and m of y_ω, a = −(h − m), and
  ///
  ///     φ = (j − k)ᵀ(g − y) + (∂g − j)ᵀ(h − m)   where k = ∂_ω y_ω is a function of X.
  ///
  /// - Parameters:
  ///   - innerTarget: g_ω, [n, q].
  ///   - outerTarget: The part of y_ω that is regressed, [n, q].
  ///   - knownOuterTarget: The part of y_ω that is a function of ω and x, [n, q].
  @preconcurrency
  public static func quadratic(
    outputCount: Int = 1, nuisances: NuisanceLearner, crossFitting: CrossFitting = CrossFitting(),
    innerTarget: @escaping Target<InnerLabels>, outerTarget: @escaping Target<OuterLabels>,
    knownOuterTarget: (@Sendable (_ outer: Outer, _ x: Tensor) throws -> Tensor)? = nil
  ) -> OBiGrad {
    OBiGrad(
      .quadratic(
        QuadraticTargets(
          inner: innerTarget, outer: outerTarget, knownOuter: knownOuterTarget,
          outputCount: outputCount)),
      outputCount, nuisances, crossFitting)
  }

  /// Splits the sample and fits what does not depend on ω.
  ///
  /// - Parameters:
  ///   - sample: The observations.
  ///   - outer: Where learners choose their features and penalties; any ω near those of interest.
  /// - Throws: `SolverError`, with an `OrthogonalError` where the data or the folds do not allow it.
  public func fit(
    on sample: BilevelSample<InnerLabels, OuterLabels>, at outer: Outer
  ) throws(SolverError) -> OrthogonalFit<Outer> {
    crossFitting.requireNoSplit("OBiGrad.fit", "layers for any losses")
    sample.requireTwo("OBiGrad.fit")
    try sample.requireFinite()
    var splits: [OrthogonalFit<Outer>.Split] = []
    for repetition in 0..<crossFitting.repeatCount {
      let generator = crossFitting.generator(repetition)
      let (inner, outerFolds) = try sample.folds(crossFitting, repetition, generator)
      var folds: [OrthogonalFit<Outer>.Fold] = []
      for index in 0..<inner.count {
        let (heldInner, heldOuter) = (inner.held(index), outerFolds.held(index))
        let data = FoldData(
          training: (
            sample.inner.rows(inner.training(index)), sample.outer.rows(outerFolds.training(index))
          ),
          held: (
            sample.inner.unweightedRows(heldInner), sample.outer.unweightedRows(heldOuter)
          ),
          heldWeights: sample.outer.weights?.gathering(heldOuter, alongAxis: 0),
          isOneSample: sample.isOneSample)
        let own = generator.split(key: UInt64(index + 2))
        folds.append(
          .init(rows: try debiasedRows(data, at: outer, own), inner: heldInner, outer: heldOuter))
      }
      splits.append(.init(folds: folds))
    }
    return OrthogonalFit(
      splits: splits, sample: sample.description,
      settings: CrossFittedSettings(
        score: scoreName, learner: nuisances.name,
        plan: "\(crossFitting)",
        sharedNoise: correctsNoise(sample) ? crossFitting.sharedNoise : .kept))
  }

  private func correctsNoise(_ sample: BilevelSample<InnerLabels, OuterLabels>) -> Bool {
    guard case .quadratic = losses else { return false }
    return isOrthogonal && sample.isOneSample
  }

  /// The debiased value of every held-out row of a fold as a function of ω.
  private func debiasedRows(
    _ data: FoldData<InnerLabels, OuterLabels>, at outer: Outer, _ generator: PhiloxGenerator
  ) throws(SolverError) -> DebiasedRows<Outer> {
    // Regressions of g and y on two samples do not make an adjoint where inputs are distributed
    // differently: a = ρ (m − h).
    if case .quadratic(let targets) = losses, data.isOneSample {
      return try QuadraticNuisances(
        targets: targets, data: data, isOrthogonal: isOrthogonal, learner: nuisances,
        sharedNoise: crossFitting.sharedNoise, at: outer, generator
      ).rows
    }
    let (inner, outerLoss) = pointwiseLosses
    return try GeneralNuisances(
      inner: inner, outer: outerLoss, outputCount: outputCount, data: data,
      isOrthogonal: isOrthogonal, learner: nuisances, at: outer, generator
    ).rows
  }
}
