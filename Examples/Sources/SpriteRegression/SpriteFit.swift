import Autodiff
import Bilevel
import DSprites
import Neural
import Solvers
import TensorFiles

/// One fit of the dSprites benchmark: the bilevel problem, its training, its evaluation.
///
/// On the first half of the sample the instrument network predicts treatment features, on the
/// second the outcome is regressed on the predicted features:
///
///     inner  argmin_h mean ‖h(z) − ψ_ω(t)‖²
///     outer  min_u mean (y − [h(z), 1] u)² + λ ‖u‖², with a further penalty in `SecondStage`
public final class SpriteFit {
  /// The loop.
  public let training: OuterTraining<Sequential, Tensor>
  /// The outer and inner losses and the norm of the hypergradient, by iteration.
  public internal(set) var history: [Losses] = []
  /// The evidence of the last iteration.
  public private(set) var lastRecord: TrustRecord?
  /// How many outer iterations a whole fit has.
  public let iterations: Int

  private let stages: SpriteStages
  private let secondStage: SecondStage

  /// The losses of one outer iteration.
  public struct Losses: Codable, Equatable, Sendable {
    public let inner: Double
    public let outer: Double
    public let gradientNorm: Double
  }

  /// A fit before its first iteration.
  ///
  /// - Parameter sample: Halved at random by `seed`, which also initialises the networks.
  public init(
    _ method: SpriteMethod, _ settings: SpriteSettings, sample: DSpritesSample, seed: UInt64
  ) {
    let stages = SpriteStages(sample, settings, seed: seed)
    let type = sample.treatments.scalarType
    let treatment = SpriteNetworks.treatment(type, PhiloxGenerator(seed: seed, stream: 10))
    let schedule = settings.schedule
    let innerSteps = settings.innerSteps
    let network = NetworkClass(
      features: settings.instrumentNetwork(type, seed: seed),
      head: .closedForm(ridge: settings.firstRidge),
      training: InnerTraining(
        optimizer: Adam(
          learningRate: settings.innerLearningRate, weightDecay: settings.innerWeightDecay),
        stepCount: innerSteps, schedule: { schedule($0 / max(1, innerSteps)) }))
    let second = SecondStage(
      outcomes: stages.outcomes, ridge: settings.secondRidge,
      variancePenalty: settings.variancePenalty)
    let problem = FunctionalProblem<Sequential, Tensor>(
      outputCount: SpriteNetworks.featureCount, innerInputs: stages.firstInstruments,
      innerLabels: { ψ in ψ(stages.treatments) },
      innerLoss: { _, v, _, targets in square(v - targets).sum(alongAxis: 1) },
      outerInputs: stages.predictionInstruments(settings),
      outerLoss: { _, v, targets in
        // By the envelope theorem the solved head is a constant in the derivative.
        let u = try second.head(stopGradient(v), stopGradient(targets))
        return second.loss(v, targets, u)
      }, network: network)
    training = OuterTraining(
      problem, method: settings.method(method, type, seed: seed), outer: treatment,
      optimizer: Adam(
        learningRate: settings.outerLearningRate, weightDecay: settings.outerWeightDecay),
      schedule: schedule, seed: seed)
    iterations = settings.iterations
    self.stages = stages
    secondStage = second
  }

  /// Takes one outer iteration.
  @discardableResult
  public func step() throws(SolverError) -> Losses {
    let losses = try training.step()
    let entry = Losses(
      inner: losses.inner, outer: losses.outer, gradientNorm: losses.gradientNorm)
    history.append(entry)
    lastRecord = losses.record
    return entry
  }

  /// The structural function f(t) = [ψ(t), 1] u with both heads refitted, [k, 1].
  public func structuralFunction(at treatments: Tensor) throws -> Tensor {
    let u = try secondStage.head(
      try training.predict(training.problem.outerInputs), training.outer(stages.treatments))
    return secondStage.predict(training.outer(treatments), u)
  }

  /// The mean squared error against the truth.
  public func error(on evaluation: DSpritesEvaluation) throws -> Double {
    let fitted = try structuralFunction(at: evaluation.treatments)
    return square(fitted - evaluation.structuralValues).mean().scalar
  }
}

extension SpriteSettings {
  /// The learning rate of an outer iteration relative to the first.
  fileprivate var schedule: @Sendable (Int) -> Double {
    guard decaysLearningRates else { return { _ in 1 } }
    let total = Double(iterations)
    return { step in 0.5 + 0.5 * cos(Tensor(.pi * min(1, Double(step) / total))).scalar }
  }

  /// φ: one network, or one for each fold.
  fileprivate func instrumentNetwork(_ type: ScalarType, seed: UInt64) -> Sequential {
    guard crossFits else {
      return SpriteNetworks.instrument(type, PhiloxGenerator(seed: seed, stream: 11))
    }
    return Sequential([
      FoldedFeatures(
        folds: (0..<2).map {
          SpriteNetworks.instrument(
            type, PhiloxGenerator(seed: seed, stream: 11).split(key: UInt64($0)))
        })
    ])
  }

  fileprivate func method(
    _ method: SpriteMethod, _ type: ScalarType, seed: UInt64
  ) -> FunctionalMethod {
    switch method {
    case .dfiv: return .closedFormHead
    case .funcidLinear: return .functional(.automatic)
    case .funcid:
      guard let adjoint else { return .functional(.automatic) }
      var generator = PhiloxGenerator(seed: seed, stream: 12)
      let features = instrumentNetwork(type, seed: seed)
      let inputCount =
        crossFits ? 2 * (SpriteNetworks.featureCount + 1) : SpriteNetworks.featureCount
      let head = Dense(
        inputSize: inputCount, outputSize: SpriteNetworks.featureCount, scalarType: type,
        using: &generator)
      return .functional(
        .trained(
          NetworkClass(
            features: features, head: .trained(head),
            training: InnerTraining(
              optimizer: Adam(
                learningRate: adjoint.learningRate, weightDecay: adjoint.weightDecay),
              stepCount: adjoint.steps))))
    case .aid:
      return .implicit(ConjugateGradient(maximumIterations: conjugateGradientIterations))
    case .itd: return .unrolled(steps: unrolledSteps)
    case .gradientPenalty: return .gradientPenalty(strength: penalty)
    case .valueFunction: return .valueFunction(strength: penalty)
    }
  }
}

extension SpriteFit {
  /// Writes what the fit needs to go on to the same bits.
  ///
  /// - Throws: Where the file cannot be written.
  public func writeCheckpoint(to path: String) throws(FileError) {
    try SpriteCheckpoint(training.snapshot, history).writeCheckpoint(to: path)
  }

  /// Goes on where another fit, made in the same way, wrote a checkpoint.
  ///
  /// - Throws: Where the file cannot be read, is damaged or of another fit; this one is then as it
  ///   was.
  public func readCheckpoint(from path: String) throws(FileError) {
    var checkpoint = SpriteCheckpoint(training.snapshot, history)
    try checkpoint.readCheckpoint(from: path)
    training.restore(checkpoint.training)
    history = checkpoint.history
  }
}

/// The loop with its history.
private struct SpriteCheckpoint: Checkpointable {
  var training: FunctionalSnapshot<Sequential>
  private var inner: [Double]
  private var outer: [Double]
  private var gradientNorms: [Double]

  init(_ training: FunctionalSnapshot<Sequential>, _ history: [SpriteFit.Losses]) {
    self.training = training
    inner = history.map(\.inner)
    outer = history.map(\.outer)
    gradientNorms = history.map(\.gradientNorm)
  }

  var history: [SpriteFit.Losses] {
    zip(inner, zip(outer, gradientNorms)).map {
      SpriteFit.Losses(inner: $0, outer: $1.0, gradientNorm: $1.1)
    }
  }

  mutating func visitCheckpoint(_ visitor: inout CheckpointVisitor) {
    visitor.visit(&training, "training")
    visitor.visit(&inner, "inner")
    visitor.visit(&outer, "outer")
    visitor.visit(&gradientNorms, "gradientNorms")
    visitor.require(
      inner.count == outer.count && inner.count == gradientNorms.count,
      "one loss of each kind for each iteration was expected")
  }
}
