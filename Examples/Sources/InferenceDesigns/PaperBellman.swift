import Autodiff
import Orthogonal
import Solvers

/// A published projected-Bellman regression with labels.
///
/// El Khoury, Zenati, Kallus, Arbel and Bibaut (2026) call it fitted Q-evaluation, although its labels
/// are drawn from ω* and there is no fixed point.
///
///     S ~ N(0, 1),  A ~ Bernoulli(σ(β S)),  S′ = 0.7 S + 0.5 A + N(0, 0.2²)
///     R = sin S + 0.5 A + 0.25 S A + N(0, 0.1²)
///     g_ω = R + γ ωᵀφ(S′),  Y = R + γ ω*ᵀφ(S′) + N(0, s²),  X = (S, A)
public struct PaperBellman: AffineDesign {
  /// The three experiments.
  public enum Variant: String, Sendable, CaseIterable {
    /// γ = 0.8, β = 0, φ(s) = (sin s, cos s, s, s²).
    case b1
    /// γ = 0.9, β = 0.5, the same features.
    case b2
    /// γ = 0.8, β = 0, φ(s) = (sin s, cos s) and less noise: the root is what is compared.
    case b3
  }

  public let stationaryPoint: Tensor
  public let evaluationPoint: Tensor
  public let hessian: Tensor
  private let dynamics: Dynamics

  /// An experiment.
  public init(_ variant: Variant) {
    let dynamics = Dynamics(variant)
    self.dynamics = dynamics
    switch variant {
    case .b1:
      stationaryPoint = Tensor([0.55, -0.35, 0.25, 0.15])
      evaluationPoint = shifted(stationaryPoint, by: 0.35, along: [1, -0.5, 0.35, -0.25])
    case .b2:
      let direction = Tensor([1, -0.6, 0.35, 0.15])
      stationaryPoint = direction / direction.norm()
      evaluationPoint = shifted(stationaryPoint, by: 0.35, along: [0.6, 0.2, -0.5, 0.3])
    case .b3:
      stationaryPoint = Tensor([0.65, -0.45])
      evaluationPoint = shifted(stationaryPoint, by: 0.35, along: [1, -0.5])
    }
    let rule = GaussHermite(200)
    let probability = dynamics.probability(rule.nodes)
    func moment(_ action: Tensor, _ weights: Tensor) -> Tensor {
      secondMoment(dynamics.slope(rule.nodes, action), weights: weights)
    }
    hessian =
      moment(.zeros(like: rule.nodes), rule.weights * (1 - probability))
      + moment(.ones(like: rule.nodes), rule.weights * probability)
  }

  public func sample(
    _ count: Int, using generator: inout PhiloxGenerator
  ) throws(SolverError) -> AffineProblem {
    let state = normal(count, &generator)
    let action = (Tensor.uniform([count], using: &generator) .< dynamics.probability(state))
      .cast(to: .float64)
    let next = 0.7 * state + 0.5 * action + normal(count, deviation: 0.2, &generator)
    let reward = Dynamics.reward(state, action) + normal(count, deviation: 0.1, &generator)
    let slope = dynamics.discount * dynamics.features(next)
    return try AffineProblem(
      inputs: columns(state, action), innerIntercept: reward, innerSlope: slope,
      outcome: reward + product(slope, stationaryPoint)
        + normal(count, deviation: dynamics.labelDeviation, &generator))
  }

  public func nuisances(at inputs: Tensor) -> AffineNuisances {
    let (state, action) = (inputs[0..., 0], inputs[0..., 1])
    let (reward, slope) = (Dynamics.reward(state, action), dynamics.slope(state, action))
    return AffineNuisances(
      intercept: reward, slope: slope, outcome: reward + product(slope, stationaryPoint))
  }
}

/// What the three experiments differ in, and their conditional means.
private struct Dynamics {
  let discount: Double
  let labelDeviation: Double
  private let actionSlope: Double
  private let hasPolynomials: Bool

  init(_ variant: PaperBellman.Variant) {
    discount = variant == .b2 ? 0.9 : 0.8
    labelDeviation = variant == .b3 ? 0.1 : 0.25
    actionSlope = variant == .b2 ? 0.5 : 0
    hasPolynomials = variant != .b3
  }

  func probability(_ state: Tensor) -> Tensor { sigmoid(actionSlope * state) }

  static func reward(_ state: Tensor, _ action: Tensor) -> Tensor {
    sin(state) + 0.5 * action + 0.25 * state * action
  }

  func features(_ s: Tensor) -> Tensor {
    hasPolynomials ? columns(sin(s), cos(s), s, square(s)) : columns(sin(s), cos(s))
  }

  /// j = γ E[φ(S′) | S, A].
  func slope(_ state: Tensor, _ action: Tensor) -> Tensor {
    let mean = 0.7 * state + 0.5 * action
    let damping = exponential(-0.02)
    let (sine, cosine) = (damping * sin(mean), damping * cos(mean))
    return discount
      * (hasPolynomials
        ? columns(sine, cosine, mean, square(mean) + 0.04) : columns(sine, cosine))
  }
}
