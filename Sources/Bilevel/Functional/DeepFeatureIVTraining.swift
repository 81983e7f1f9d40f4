import Autodiff
import Neural
import Solvers

/// Alternating training of `DeepFeatureIV`: some inner steps, then one outer step.
///
///     var training = DeepFeatureIVTraining(model, first: a, second: b)
///     for _ in 0..<100 {
///       let losses = try training.step()
///     }
///     let fitted = try training.model.structuralFunction(at: t, first: a, second: b)
///
/// A value: a copy is a branch of the run. Deterministic; both samples are used whole.
public struct DeepFeatureIVTraining<Treatment: Layer, Instrument: Layer>: Sendable {
  /// The losses of one outer step, before the updates.
  public struct Losses: Sendable {
    /// The inner loss at the last inner step.
    public let inner: Double
    /// The outer loss.
    public let outer: Double
    /// The Euclidean norm of the outer gradient.
    public let outerGradientNorm: Double
  }

  /// The networks and heads.
  public var model: DeepFeatureIV<Treatment, Instrument>
  /// Inner steps to one outer step.
  public var innerStepCount: Int
  /// Updates the instrument network.
  public var innerOptimizer: Adam
  /// Updates the treatment network.
  public var outerOptimizer: Adam
  private let first: InstrumentalSample
  private let second: InstrumentalSample

  /// - Parameters:
  ///   - model: The networks, as initialised.
  ///   - first: The sample of the first head and the inner problem.
  ///   - second: The sample of the second head.
  public init(
    _ model: DeepFeatureIV<Treatment, Instrument>, first: InstrumentalSample,
    second: InstrumentalSample, innerStepCount: Int = 20,
    innerOptimizer: Adam = Adam(learningRate: 1e-3),
    outerOptimizer: Adam = Adam(learningRate: 1e-3)
  ) {
    guard innerStepCount >= 1 else {
      stop("DeepFeatureIVTraining", "expected at least one inner step, found \(innerStepCount)")
    }
    self.model = model
    self.first = first
    self.second = second
    self.innerStepCount = innerStepCount
    self.innerOptimizer = innerOptimizer
    self.outerOptimizer = outerOptimizer
  }

  /// Takes the inner steps and one outer step.
  ///
  /// - Throws: `TrainingError` where a head cannot be solved or a loss is not finite; the model is
  ///   then as before the update that failed.
  public mutating func step() throws(TrainingError) -> Losses {
    model.treatment.updateState()
    // The targets do not depend on φ, so the large network runs once for all inner steps.
    let targets = model.treatment(first.treatments)
    var inner = Double.nan
    for _ in 0..<innerStepCount {
      model.instrument.updateState()
      let (loss, gradient) = try solving("inner") { () throws(LinearAlgebraError) in
        try valueWithGradient(at: model.instrument) { instrument throws(LinearAlgebraError) in
          try model.innerLoss(instrument, targets: targets, instruments: first.instruments)
        }
      }
      inner = loss.scalar
      try requireFinite(inner, gradient, "inner")
      innerOptimizer.update(&model.instrument, along: gradient)
    }
    let (loss, gradient) = try solving("outer") { () throws(LinearAlgebraError) in
      try valueWithGradient(at: model.treatment) { treatment throws(LinearAlgebraError) in
        try model.outerLoss(treatment, first: first, second: second)
      }
    }
    let norm = try requireFinite(loss.scalar, gradient, "outer")
    outerOptimizer.update(&model.treatment, along: gradient)
    return Losses(inner: inner, outer: loss.scalar, outerGradientNorm: norm)
  }

  private func solving<R>(
    _ level: String, _ body: () throws(LinearAlgebraError) -> R
  ) throws(TrainingError) -> R {
    do throws(LinearAlgebraError) {
      return try body()
    } catch {
      throw .unsolvableHead(level: level, error)
    }
  }

  @discardableResult
  private func requireFinite(
    _ loss: Double, _ gradient: some TensorTree, _ level: String
  ) throws(TrainingError) -> Double {
    let norm = gradient.globalNorm
    guard loss.isFinite, norm.isFinite else {
      throw .notFinite(level: level, loss: loss, gradientNorm: norm)
    }
    return norm
  }
}

/// Why training stopped.
public enum TrainingError: Error, CustomStringConvertible {
  /// The closed-form head of a level has no solution.
  case unsolvableHead(level: String, LinearAlgebraError)
  /// The loss or the gradient of a level is not finite.
  case notFinite(level: String, loss: Double, gradientNorm: Double)

  public var description: String {
    switch self {
    case .unsolvableHead(let level, let error):
      """
      the linear head of the \(level) problem cannot be solved: \(error). Increase its ridge, or \
      standardise the inputs
      """
    case .notFinite(let level, let loss, let norm):
      """
      the \(level) problem left the finite numbers (loss \(loss), gradient norm \(norm)). Reduce \
      the learning rate, or standardise the inputs
      """
    }
  }
}
