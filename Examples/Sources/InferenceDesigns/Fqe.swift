import Autodiff
import Orthogonal
import Solvers

/// Fitted Q-evaluation by the Bellman residual in a linear process with normal states, for a policy that is
/// linear too, of which the features of the action value are chosen.
///
///     S ~ N(0, 1),  A = −0.3 S + σ ν,  S′ = 0.7 S + 0.4 A + 0.5 ξ,  evaluation policy a = −0.5 s
///     g_ω = R + γ ωᵀψ(S′, −0.5 S′),  y_ω = ωᵀψ(S, A),  X = (S, A),  γ = 0.9
///
/// There are no labels: m is known, and the residual gradient on single transitions is off by
/// Cov(dg, g | S, A).
public protocol FqeDesign: NormalInputDesign {
  /// σ.
  static var actionDeviation: Double { get }
  /// ψ at rows (s, a).
  static func features(at inputs: Tensor) -> Tensor
  /// E[ψ(S′, −0.5 S′) | S, A] for S′ of these means and variance 0.25.
  static func expectedFeatures(_ mean: Tensor) -> Tensor
  /// E[R | S, A].
  func reward(at inputs: Tensor) -> Tensor
}

extension FqeDesign {
  static var discount: Double { 0.9 }

  /// A by quadrature.
  static func curvature(nodeCount: Int) -> Tensor {
    let (points, weights) = GaussHermite(nodeCount).grid(dimension: 2)
    let state = points[0..., 0]
    let inputs = columns(state, -0.3 * state + actionDeviation * points[0..., 1])
    return secondMoment(slope(at: inputs) - features(at: inputs), weights: weights)
  }

  /// j = γ E[ψ(S′, −0.5 S′) | S, A].
  static func slope(at inputs: Tensor) -> Tensor {
    discount * expectedFeatures(0.7 * inputs[0..., 0] + 0.4 * inputs[0..., 1])
  }
}

extension FqeDesign {
  public func sample(
    _ count: Int, using generator: inout PhiloxGenerator
  ) throws(SolverError) -> AffineProblem {
    let state = normal(count, &generator)
    let action = -0.3 * state + normal(count, deviation: Self.actionDeviation, &generator)
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
}

/// Fitted Q-evaluation with bounded features and a known value function.
///
///     σ = 0.8,  ψ(s, a) = (sin s, cos s, sin(s + a), cos(s + a)),  R = ω*ᵀ(ψ − j) + N(0, 0.3²)
///
/// which makes Q of the policy ω*ᵀψ exactly.
public struct FqeFourier: FqeDesign {
  public let stationaryPoint = Tensor([1, 0.5, -0.5, 0.8])
  public let evaluationPoint = Tensor([1.25, 0.25, -0.25, 1.05])
  public let hessian: Tensor = FqeFourier.curvature(nodeCount: 40)
  public static let actionDeviation = 0.8

  /// The design.
  public init() {}

  public var inputCovariance: Tensor { Tensor(rows: [[1, -0.3], [-0.3, 0.73]]) }

  public func reward(at inputs: Tensor) -> Tensor {
    product(Self.features(at: inputs) - Self.slope(at: inputs), stationaryPoint)
  }

  public static func features(at inputs: Tensor) -> Tensor {
    let (state, sum) = (inputs[0..., 0], inputs.sum(alongAxis: 1))
    return columns(sin(state), cos(state), sin(sum), cos(sum))
  }

  public static func expectedFeatures(_ mean: Tensor) -> Tensor {
    let (whole, half) = (exponential(-0.125), exponential(-0.03125))
    return columns(
      whole * sin(mean), whole * cos(mean), half * sin(0.5 * mean), half * cos(0.5 * mean))
  }
}

/// Fitted Q-evaluation in a linear-quadratic decision process, whose value function is a quadratic form.
///
///     σ = 0.6,  ψ(s, a) = (1, s², s a, a²),  R = −(0.5 S² + 0.25 A²) + N(0, 0.3²)
public struct FqeLQ: FqeDesign {
  public let stationaryPoint: Tensor
  public let evaluationPoint: Tensor
  public let hessian: Tensor = FqeLQ.curvature(nodeCount: 20)
  public static let actionDeviation = 0.6

  /// The design.
  public init() {
    // The value of state s under the policy is κ s² + const., κ = −(0.5 + 0.25 · 0.5²) + γ 0.5² κ.
    let kappa = -(0.5 + 0.25 * 0.5 * 0.5) / (1 - Self.discount * 0.5 * 0.5)
    let scale = Self.discount * kappa
    stationaryPoint = Tensor([
      scale * 0.25 / (1 - Self.discount), -0.5 + scale * 0.49, 2 * scale * 0.28,
      -0.25 + scale * 0.16,
    ])
    evaluationPoint = shifted(stationaryPoint, by: 0.5, along: [0.6, 1, -0.8, 0.7])
  }

  public var inputCovariance: Tensor { Tensor(rows: [[1, -0.3], [-0.3, 0.45]]) }

  public func reward(at inputs: Tensor) -> Tensor {
    -0.5 * square(inputs[0..., 0]) - 0.25 * square(inputs[0..., 1])
  }

  public static func features(at inputs: Tensor) -> Tensor {
    let (state, action) = (inputs[0..., 0], inputs[0..., 1])
    return columns(.ones(like: state), square(state), state * action, square(action))
  }

  public static func expectedFeatures(_ mean: Tensor) -> Tensor {
    let second = square(mean) + 0.25
    return columns(.ones(like: mean), second, -0.5 * second, 0.25 * second)
  }
}
