import Autodiff
import Bilevel
import Neural

/// Nonlinear instrumental-variable regression with learned features (Xu et al., *Learning deep
/// features in instrumental variable regression*, 2021), as a bilevel problem.
///
///     print(try DeepIV().fit(model).result())
///
/// The outcome is y = f(t) + e with E[e | z] = 0 and f(t) = [ψ(t), 1] u, where t are endogenous and
/// exogenous variables, z instruments and exogenous variables, ψ the treatment network (outer) and φ
/// the instrument network (inner). On two independent samples:
///
///     inner, sample 1:  V(ω, φ) = argmin_V (1/n₁) ‖ψ(t) − [φ(z), 1] V‖² + λ₁ ‖V‖²,
///                       so that [φ(z), 1] V ≈ E[ψ(t) | z]; φ is trained on that loss
///     outer, sample 2:  L(ω) = min_u (1/n₂) ‖y − [[φ(z), 1] V(ω), 1] u‖² + λ₂ ‖u‖²
///
/// Both heads are in closed form, and the outer gradient goes through both solves: it is
/// `OuterTraining` by `FunctionalMethod.closedFormHead`.
///
/// The defaults suit most files, of 200 to 5,000 rows; they were chosen on simulated linear models.
public struct DeepIV: Codable, Sendable, Equatable {
  /// Outer iterations.
  public var iterations = 60
  /// Inner steps to one outer step.
  public var innerSteps = 10
  /// Hidden widths of both networks.
  public var hidden = [32]
  /// Treatment features.
  public var features = 8
  /// The learning rate of both optimisers.
  public var learningRate = 3e-3
  /// The penalty of the weights of both optimisers.
  public var weightDecay = 1e-4
  /// Ridge of the head that predicts treatment features, per observation.
  public var firstRidge = 1e-3
  /// Ridge of the head that predicts the outcome, per observation.
  public var secondRidge = 1e-2
  /// The share of the rows that features are not learned from, for intervals.
  public var heldOut = 0.25

  /// Settings for files.
  public init() {}

  /// The losses of one outer iteration.
  public struct Losses: Sendable {
    /// Of the inner problem after its steps, without the penalty of the head.
    public let inner: Double
    /// Of the outer problem before its step.
    public let outer: Double
  }

  /// Trains both networks.
  ///
  /// - Parameters:
  ///   - unseen: A sample of the same population for intervals, in place of rows that are held out.
  ///   - seed: Of the initial weights.
  ///   - generator: Draws the split; nil for one of the seed.
  ///   - goesOn: Called after each outer iteration with its number from 1: whether to take another.
  /// - Throws: `ModelError`, or the error of training where a loss left the finite numbers or a head
  ///   cannot be solved.
  public func fit(
    _ model: InstrumentalModel, unseen: InstrumentalModel? = nil, seed: UInt64 = 1,
    splitBy generator: PhiloxGenerator? = nil,
    goesOn: (_ iteration: Int, _ losses: Losses) -> Bool = { _, _ in true }
  ) throws -> DeepIVFit {
    if model.weights != nil { throw ModelError.weightsUnsupported(by: "the deep regression") }
    try model.requireOutcomeToExplain()
    let linear = try TwoStageLeastSquares(model)
    let data = DeepData(
      model, heldOut: heldOut, unseen: unseen, generator ?? PhiloxGenerator(seed: seed))
    let (first, second, head) = (data.first, data.second, LinearHead(ridge: secondRidge))
    var weights = PhiloxGenerator(seed: seed, stream: 1)
    let treatment = network(inputs: first.treatments.shape[1], outputs: features, &weights)
    let instrument = network(inputs: first.instruments.shape[1], outputs: features, &weights)
    let problem = FunctionalProblem<MLP, Tensor>(
      outputCount: features, innerInputs: first.instruments,
      innerLabels: { ψ in ψ(first.treatments) },
      innerLoss: { _, v, _, targets in square(v - targets).sum(alongAxis: 1) },
      outerInputs: second.instruments,
      outerLoss: { _, v, _ in
        // By the envelope theorem the solved head is a constant in the derivative.
        let u = try head.fit(stopGradient(v), to: second.outcomes)
        return head.loss(v, targets: second.outcomes, weights: u)
      },
      network: NetworkClass(
        features: instrument, head: .closedForm(ridge: firstRidge),
        training: InnerTraining(optimizer: optimizer, stepCount: innerSteps)))
    let training = OuterTraining(
      problem, method: .closedFormHead, outer: treatment, optimizer: optimizer)
    var history: [Losses] = []
    for iteration in 1...max(1, iterations) {
      let losses = try training.step()
      history.append(Losses(inner: losses.inner, outer: losses.outer))
      if !goesOn(iteration, history[iteration - 1]) { break }
    }
    let predicted = try training.predict(second.instruments)
    return DeepIVFit(
      settings: self, seed: seed, model: model, linear: linear, losses: history, data: data,
      treatment: training.outer, instrument: training.predictionFeatures,
      head: head, weights: try head.fit(predicted, to: second.outcomes))
  }

  var optimizer: Adam { Adam(learningRate: learningRate, weightDecay: weightDecay) }

  func network(inputs: Int, outputs: Int, _ generator: inout PhiloxGenerator) -> MLP {
    MLP(
      widths: [inputs] + hidden + [outputs], activation: .gelu, scalarType: .float32,
      using: &generator)
  }
}
