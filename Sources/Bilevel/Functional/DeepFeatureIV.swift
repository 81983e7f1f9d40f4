import Autodiff
import Neural

/// Observations of an instrumental-variable problem, one row each.
public struct InstrumentalSample: Sendable {
  /// What the structural function is a function of: endogenous and exogenous variables, [n, p].
  public let treatments: Tensor
  /// Instruments and exogenous variables, [n, q].
  public let instruments: Tensor
  /// [n, 1].
  public let outcomes: Tensor

  /// - Precondition: Three matrices with the same number of rows; outcomes have one column.
  public init(treatments: Tensor, instruments: Tensor, outcomes: Tensor) {
    guard treatments.rank == 2, instruments.rank == 2, outcomes.rank == 2, outcomes.shape[1] == 1,
      treatments.shape[0] == outcomes.shape[0], instruments.shape[0] == outcomes.shape[0]
    else {
      stop(
        "InstrumentalSample",
        """
        expected treatments [n, p], instruments [n, q] and outcomes [n, 1], found \
        \(treatments.shape), \(instruments.shape) and \(outcomes.shape)
        """)
    }
    self.treatments = treatments
    self.instruments = instruments
    self.outcomes = outcomes
  }

  /// The number of observations.
  public var count: Int { outcomes.shape[0] }

  /// The rows at `indices`, an `int32` tensor.
  public func rows(_ indices: Tensor) -> InstrumentalSample {
    InstrumentalSample(
      treatments: treatments.gathering(indices, alongAxis: 0),
      instruments: instruments.gathering(indices, alongAxis: 0),
      outcomes: outcomes.gathering(indices, alongAxis: 0))
  }
}

/// Nonlinear instrumental-variable regression with learned features (Xu et al., *Learning deep
/// features in instrumental variable regression*, 2021), as a bilevel problem.
///
/// The outcome is y = f(t) + e with E[e | z] = 0 and f(t) = [ψ(t), 1] u, where ψ is the treatment
/// network (outer) and φ the instrument network (inner). On two independent samples:
///
///     inner, sample 1:  V(ω, φ) = argmin_V (1/n₁) ‖ψ(t) − [φ(z), 1] V‖² + λ₁ ‖V‖²,
///                       so that [φ(z), 1] V ≈ E[ψ(t) | z]; φ is trained on that loss
///     outer, sample 2:  L(ω) = min_u (1/n₂) ‖y − [[φ(z), 1] V(ω), 1] u‖² + λ₂ ‖u‖²
///
/// Both heads are in closed form (`LinearHead`), and the outer gradient goes through both solves.
public struct DeepFeatureIV<Treatment: Layer, Instrument: Layer>: Sendable {
  /// ψ, the outer network.
  public var treatment: Treatment
  /// φ, the inner network.
  public var instrument: Instrument
  /// The head that predicts treatment features from instrument features.
  public var firstHead: LinearHead
  /// The head that predicts the outcome from predicted treatment features.
  public var secondHead: LinearHead

  /// Creates the problem from networks, as initialised or trained, and heads.
  public init(
    treatment: Treatment, instrument: Instrument, firstHead: LinearHead, secondHead: LinearHead
  ) {
    self.treatment = treatment
    self.instrument = instrument
    self.firstHead = firstHead
    self.secondHead = secondHead
  }

  /// The inner loss of an instrument network, its head solved.
  ///
  /// - Parameters:
  ///   - instrument: φ.
  ///   - targets: ψ(t) of the first sample, [n₁, d]; constant in the inner problem.
  ///   - instruments: z of the first sample, [n₁, q].
  public func innerLoss(
    _ instrument: Instrument, targets: Tensor, instruments: Tensor
  ) throws(LinearAlgebraError) -> Tensor {
    let features = instrument(instruments)
    let weights = try firstHead.fit(features, to: targets)
    return firstHead.loss(features, targets: targets, weights: weights)
  }

  /// The outer loss L(ω) of a treatment network, both heads solved.
  ///
  /// - Parameters:
  ///   - treatment: ψ.
  ///   - first: The sample of the first head.
  ///   - second: The sample of the second head.
  public func outerLoss(
    _ treatment: Treatment, first: InstrumentalSample, second: InstrumentalSample
  ) throws(LinearAlgebraError) -> Tensor {
    let predicted = try predictedFeatures(treatment, first: first, at: second.instruments)
    let weights = try secondHead.fit(predicted, to: second.outcomes)
    return secondHead.loss(predicted, targets: second.outcomes, weights: weights)
  }

  /// The structural function with both heads refitted: f(t) = [ψ(t), 1] u.
  ///
  /// - Parameters:
  ///   - treatments: [k, p], the points to predict at.
  ///   - first: The sample of the first head.
  ///   - second: The sample of the second head.
  /// - Returns: [k, 1].
  public func structuralFunction(
    at treatments: Tensor, first: InstrumentalSample, second: InstrumentalSample
  ) throws(LinearAlgebraError) -> Tensor {
    let predicted = try predictedFeatures(treatment, first: first, at: second.instruments)
    let weights = try secondHead.fit(predicted, to: second.outcomes)
    return secondHead.predict(treatment(treatments), weights: weights)
  }

  /// [φ(z), 1] V(ω) ≈ E[ψ(t) | z].
  private func predictedFeatures(
    _ treatment: Treatment, first: InstrumentalSample, at instruments: Tensor
  ) throws(LinearAlgebraError) -> Tensor {
    let weights = try firstHead.fit(
      instrument(first.instruments), to: treatment(first.treatments))
    return firstHead.predict(instrument(instruments), weights: weights)
  }
}
