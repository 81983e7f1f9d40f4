import Autodiff
import Foundation
import Orthogonal

/// A process on the line whose action values are known.
///
///     S ~ N(0, 1),   S′ = 0.7 S + 0.4 A + 0.5 ξ,   ξ ~ N(0, 1)
///     ψ(s, a) = (sin s, cos s, sin(s + a), cos(s + a)),   ω* = (1, 0.5, −0.5, 0.8),   γ = 0.9
///     R = ω*ᵀ (ψ(S, A) − γ E[ψ(S′, −0.5 S′) | S, A]) + 0.3 ε,   ε ~ N(0, 1)
///
/// so that the action value of the policy a = −0.5 s is ω*ᵀψ.
public struct SineProcess: Environment {
  /// γ, which the rewards are made for.
  public static let discount = 0.9
  /// ω*.
  public static let coefficients = [1, 0.5, -0.5, 0.8]
  /// The gain of the policy whose action value is known.
  public static let evaluationGain = -0.5

  /// The process.
  public init() {}

  public var stateNames: [String] { ["state"] }

  public func initialState(using generator: inout PhiloxGenerator) -> [Double] {
    [normal(using: &generator)]
  }

  public func step(
    from state: [Double], _ action: Double, using generator: inout PhiloxGenerator
  ) -> Step {
    let noise = [normal(using: &generator), normal(using: &generator)]
    let mean = 0.7 * state[0] + 0.4 * action
    let expected = Self.expectedNextFeatures(mean)
    let current = Self.features(state[0], action)
    let reward = (0..<4).reduce(0.3 * noise[1]) {
      $0 + Self.coefficients[$1] * (current[$1] - Self.discount * expected[$1])
    }
    return Step(state: [mean + 0.5 * noise[0]], reward: reward, isTerminal: false)
  }

  public func number(of action: Double) -> Double { action }

  /// E[ωᵀψ(s₀, −0.5 s₀)] for s₀ ~ N(0, 1): 0.5 exp(−1/2) + 0.8 exp(−1/8).
  public static var value: Double {
    coefficients[1] * exp(-0.5) + coefficients[3] * exp(-0.125)
  }

  /// ψ on tensors.
  public static var stateActionFeatures: StateActionFeatures {
    StateActionFeatures(name: "sine and cosine of s and s + a") { s, a in
      .concatenated([sin(s), cos(s), sin(s + a), cos(s + a)], alongAxis: 1)
    }
  }

  /// The policy whose action value is known.
  public static var evaluation: EvaluationPolicy { .deterministic { evaluationGain * $0 } }

  static func features(_ s: Double, _ a: Double) -> [Double] {
    [sin(s), cos(s), sin(s + a), cos(s + a)]
  }

  /// E[ψ(S′, −0.5 S′)] for S′ ~ N(mean, 0.25).
  private static func expectedNextFeatures(_ mean: Double) -> [Double] {
    let (full, half) = (exp(-0.125), exp(-0.03125))
    return [full * sin(mean), full * cos(mean), half * sin(mean / 2), half * cos(mean / 2)]
  }
}

/// An action proportional to the state, with normal noise.
public struct ProportionalPolicy: Policy {
  /// What the state is multiplied by.
  public let gain: Double
  /// The standard deviation of the noise.
  public let noise: Double

  /// A policy.
  public init(gain: Double, noise: Double = 0) {
    (self.gain, self.noise) = (gain, noise)
  }

  /// What the data of the sine process are logged with.
  public static let logging = ProportionalPolicy(gain: -0.3, noise: 0.8)

  public func action(at state: [Double], using generator: inout PhiloxGenerator) -> Double {
    gain * state[0] + (noise == 0 ? 0 : noise * normal(using: &generator))
  }
}
