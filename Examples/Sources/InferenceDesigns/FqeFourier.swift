import Autodiff
import Orthogonal
import Solvers

/// Fitted Q-evaluation by the Bellman residual with bounded features and a known value function.
///
///     S ~ N(0, 1),  A = −0.3 S + 0.8 ν,  S′ = 0.7 S + 0.4 A + 0.5 ξ,  evaluation policy a = −0.5 s
///     ψ(s, a) = (sin s, cos s, sin(s + a), cos(s + a)),  Q_ω = ωᵀψ,  γ = 0.9
///     g_ω = R + γ ωᵀψ(S′, −0.5 S′),  y_ω = Q_ω(S, A),  X = (S, A)
///
/// E[R | S, A] = ω*ᵀ(ψ − j) makes Q of the policy ω*ᵀψ exactly. There are no labels: m is known, and
/// the residual gradient on single transitions is off by Cov(dg, g | S, A).
public struct FqeFourier: NormalInputDesign {
  public let stationaryPoint = Tensor([1, 0.5, -0.5, 0.8])
  public let evaluationPoint = Tensor([1.25, 0.25, -0.25, 1.05])
  public let hessian: Tensor

  private static let discount = 0.9

  /// The design.
  public init() {
    let (points, weights) = GaussHermite(40).grid(dimension: 2)
    let state = points[0..., 0]
    let inputs = columns(state, -0.3 * state + 0.8 * points[0..., 1])
    hessian = secondMoment(Self.slope(at: inputs) - Self.features(at: inputs), weights: weights)
  }

  public var inputCovariance: Tensor { Tensor(rows: [[1, -0.3], [-0.3, 0.73]]) }

  public func sample(
    _ count: Int, using generator: inout PhiloxGenerator
  ) throws(SolverError) -> AffineProblem {
    let state = normal(count, &generator)
    let action = -0.3 * state + normal(count, deviation: 0.8, &generator)
    let next = 0.7 * state + 0.4 * action + normal(count, deviation: 0.5, &generator)
    let inputs = columns(state, action)
    return try AffineProblem(
      inputs: inputs,
      innerIntercept: reward(at: inputs) + normal(count, deviation: 0.3, &generator),
      innerSlope: Self.discount * Self.features(at: columns(next, -0.5 * next)),
      outerSlope: Self.features(at: inputs))
  }

  public func nuisances(at inputs: Tensor) -> AffineNuisances {
    AffineNuisances(
      intercept: reward(at: inputs), slope: Self.slope(at: inputs),
      outcome: .zeros([inputs.shape[0]]))
  }

  public func outerSlope(at inputs: Tensor) -> Tensor { Self.features(at: inputs) }

  private func reward(at inputs: Tensor) -> Tensor {
    product(Self.features(at: inputs) - Self.slope(at: inputs), stationaryPoint)
  }

  /// ψ.
  private static func features(at inputs: Tensor) -> Tensor {
    let (state, sum) = (inputs[0..., 0], inputs.sum(alongAxis: 1))
    return columns(sin(state), cos(state), sin(sum), cos(sum))
  }

  /// j = γ E[ψ(S′, −0.5 S′) | S, A].
  private static func slope(at inputs: Tensor) -> Tensor {
    let mean = 0.7 * inputs[0..., 0] + 0.4 * inputs[0..., 1]
    let (whole, half) = (exponential(-0.125), exponential(-0.03125))
    return discount
      * columns(
        whole * sin(mean), whole * cos(mean), half * sin(0.5 * mean), half * cos(0.5 * mean))
  }
}
