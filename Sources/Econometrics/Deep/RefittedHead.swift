import Solvers
import Autodiff
import Bilevel
import Inference
import Neural
import Orthogonal

/// A linear head on the learned treatment features, refitted on rows that no network has seen, which
/// gives intervals for the structural function.
///
///     f(t) = [ψ̃(t), 1] u,   u the root of the orthogonal gradient of E[½ (E[f(t) | z] − y)²] + ½ λ ‖u‖²
///
/// ψ̃ are the principal components of the learned features ψ, of variance 1 on the rows that these
/// were learned from: learned features are nearly dependent. Given ψ̃, which is constant here, the
/// interval is that of the penalised projection on them. What no combination of the features can say
/// is not in it.
struct RefittedHead {
  /// The number of rows.
  let rowCount: Int
  /// The condition number of the head's equations, by which errors of the features grow.
  ///
  /// The ratio of the extreme singular values of the mean derivative of the score; nil where it cannot
  /// be found.
  let condition: Double?
  private let head: Estimate
  private let fit: DeepIVFit
  private let features: LearnedFeatures

  /// - Throws: `DeepInferenceError` without enough rows; the error of the orthogonal fit where the
  ///   head cannot be found.
  init(_ fit: DeepIVFit) throws {
    guard let sample = fit.data.unseen else { throw DeepInferenceError.noRows }
    let settings = fit.settings
    let needed = max(100, 4 * (settings.features + 1))
    guard sample.count >= needed else {
      throw DeepInferenceError.tooFewRows(found: sample.count, needed: needed)
    }
    self.fit = fit
    features = try LearnedFeatures(fit.treatment, on: fit.data.first.treatments)
    rowCount = sample.count
    let instrument = fit.instrument
    // Trained on other rows, the instrument features are as fixed as the treatment features.
    let nuisances = LinearClass(
      name: "learned instrument features", ridge: settings.firstRidge / 2, hasIntercept: true,
      penalizesIntercept: false
    ) { instrument($0.cast(to: .float32)).cast(to: .float64) }
    let slope = features(sample.treatments)
    let intercept = slope.shape[1] - 1
    var plan = CrossFitting(seed: fit.seed)
    plan.allowsDuplicates = true
    let scores = try AffineProblem(
      inputs: sample.instruments, innerSlope: slope,
      outcome: sample.outcomes.squeezingShape(at: 1), known: .init(slopeColumns: [intercept])
    ).fit(nuisances: .linear(nuisances), crossFitting: plan)
    condition = scores.conditioning.map { 1 / $0 }
    head = try scores.root { u in
      0.5 * settings.secondRidge * square(u[0..<intercept]).sum()
    }
  }

  /// The structural function at points given by columns, in the units of the outcome.
  func structuralFunction(at columns: [[Double]]) throws -> Estimate {
    let scale = fit.data.outcomeScale
    let scaled = try head.mapped(by: scale.scale * features(fit.data.treatments(columns)))
    return try Estimate(
      value: scaled.value + scale.center, names: scaled.names, influence: scaled.influence)
  }

  /// The mean derivative over the data by each endogenous variable, in units of outcome per unit of
  /// the variable.
  func averageEffects() throws -> Estimate {
    let (data, variables) = (fit.data, fit.model.endogenous)
    let treatments = data.all.treatments
    let rows = variables.indices.map { index in
      let direction = (Tensor.range(treatments.shape[1], .float32) .== Double(index))
        .cast(to: .float32).broadcast(to: treatments.shape)
      let slopes = jvp(at: treatments, along: direction) { features($0) }.tangent
      return data.outcomeScale.scale / data.treatmentScales[index].scale
        * slopes.mean(alongAxis: 0)
    }
    return try head.mapped(by: .stacked(rows), names: variables.map(\.name))
  }
}

/// The principal components of the features of a trained network, of mean 0 and variance 1 on some
/// rows, and a constant.
private struct LearnedFeatures: Sendable {
  private let network: MLP
  private let center: Tensor
  private let rotation: Tensor

  /// Components below this share of the largest variance are rounding of float32 features.
  private static let leastShare = 1e-6

  init(_ network: MLP, on rows: Tensor) throws(LinearAlgebraError) {
    self.network = network
    let raw = network(rows).cast(to: .float64)
    center = raw.mean(alongAxis: 0)
    let centred = raw - center
    let (values, vectors) = try symmetricEigen(
      matmul(centred, centred, transposeA: true) / Double(rows.shape[0]))
    let variances = values.scalars
    let limit = Self.leastShare * (variances.last ?? 0)
    let first = variances.firstIndex { $0 > limit } ?? variances.count - 1
    rotation = vectors[0..., first...] * rsqrt(values[first...])
  }

  /// [ψ̃(t), 1].
  func callAsFunction(_ treatments: Tensor) -> Tensor {
    let components = matmul(network(treatments).cast(to: .float64) - center, rotation)
    return .concatenated([components, .ones([treatments.shape[0], 1])], alongAxis: 1)
  }
}

/// Why there are no intervals.
public enum DeepInferenceError: Error, CustomStringConvertible {
  /// No rows were kept from learning.
  case noRows
  /// Fewer than a head needs.
  case tooFewRows(found: Int, needed: Int)

  public var description: String {
    switch self {
    case .noRows:
      "no rows were kept from learning the features; give --held-out a share such as 0.25"
    case .tooFewRows(let found, let needed):
      "\(Numbers.count(found)) rows were kept from learning the features, and intervals take "
        + "\(Numbers.count(needed)); give more rows, a larger --held-out or fewer --features"
    }
  }
}
