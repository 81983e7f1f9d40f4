import Autodiff
import Orthogonal
import Solvers

/// Fitted Q-evaluation by the Bellman residual in a linear-quadratic decision process, whose value
/// function is a quadratic form.
///
///     S ~ N(0, 1),  A = −0.3 S + 0.6 ν,  S′ = 0.7 S + 0.4 A + 0.5 ξ,  evaluation policy a = −0.5 s
///     R = −(0.5 S² + 0.25 A²) + N(0, 0.3²),  ψ(s, a) = (1, s², s a, a²),  γ = 0.9
public struct FqeLQ: NormalInputDesign {
  public let stationaryPoint: Tensor
  public let evaluationPoint: Tensor
  public let hessian: Tensor

  private static let (discount, policy) = (0.9, -0.5)

  /// The design.
  public init() {
    // The value of state s under the policy is κ s² + const., κ = −(0.5 + 0.25 · 0.5²) + γ 0.5² κ.
    let closedLoop = 0.7 + 0.4 * Self.policy
    let kappa =
      -(0.5 + 0.25 * Self.policy * Self.policy) / (1 - Self.discount * closedLoop * closedLoop)
    let scale = Self.discount * kappa
    stationaryPoint = Tensor([
      scale * 0.25 / (1 - Self.discount), -0.5 + scale * 0.49, 2 * scale * 0.28,
      -0.25 + scale * 0.16,
    ])
    evaluationPoint = shifted(stationaryPoint, by: 0.5, along: [0.6, 1, -0.8, 0.7])
    let (points, weights) = GaussHermite(20).grid(dimension: 2)
    let state = points[0..., 0]
    let inputs = columns(state, -0.3 * state + 0.6 * points[0..., 1])
    hessian = secondMoment(Self.slope(at: inputs) - Self.features(at: inputs), weights: weights)
  }

  public var inputCovariance: Tensor { Tensor(rows: [[1, -0.3], [-0.3, 0.45]]) }

  public func sample(
    _ count: Int, using generator: inout PhiloxGenerator
  ) throws(SolverError) -> AffineProblem {
    let state = normal(count, &generator)
    let action = -0.3 * state + normal(count, deviation: 0.6, &generator)
    let next = 0.7 * state + 0.4 * action + normal(count, deviation: 0.5, &generator)
    let inputs = columns(state, action)
    return try AffineProblem(
      inputs: inputs,
      innerIntercept: Self.reward(at: inputs) + normal(count, deviation: 0.3, &generator),
      innerSlope: Self.discount * Self.features(at: columns(next, Self.policy * next)),
      outerSlope: Self.features(at: inputs))
  }

  public func nuisances(at inputs: Tensor) -> AffineNuisances {
    AffineNuisances(
      intercept: Self.reward(at: inputs), slope: Self.slope(at: inputs),
      outcome: .zeros([inputs.shape[0]]))
  }

  public func outerSlope(at inputs: Tensor) -> Tensor { Self.features(at: inputs) }

  private static func reward(at inputs: Tensor) -> Tensor {
    -0.5 * square(inputs[0..., 0]) - 0.25 * square(inputs[0..., 1])
  }

  /// ψ.
  private static func features(at inputs: Tensor) -> Tensor {
    let (state, action) = (inputs[0..., 0], inputs[0..., 1])
    return columns(.ones(like: state), square(state), state * action, square(action))
  }

  /// j = γ E[ψ(S′, −0.5 S′) | S, A].
  private static func slope(at inputs: Tensor) -> Tensor {
    let mean = 0.7 * inputs[0..., 0] + 0.4 * inputs[0..., 1]
    let second = square(mean) + 0.25
    return discount
      * columns(.ones(like: mean), second, policy * second, policy * policy * second)
  }
}
