import Autodiff
import Bilevel
import Orthogonal

/// A bilevel problem with cross-entropy losses, whose score has all the terms of the general one.
///
///     X ~ N(0, 1),  η ~ N(0, 0.5),  T = X + η,  φ(t) = (sin 1.5 t, t, 1),  g_ω = σ(ωᵀφ(T))
///     Y ~ Bernoulli(σ(ω₀ᵀφ(T) + η)),  ω₀ = (1, −0.8, 0.3)
///     ℓ_in = softplus(v) − g_ω v,  so h = logit E[g_ω | X];   ℓ_out = softplus(v) − Y v
///
/// computed as g_ω softplus(−v) + (1 − g_ω) softplus(v) with 1 − σ(u) = σ(−u), where no digits cancel.
public struct CrossEntropy: Sendable {
  /// The layer of the design: labels are φ(T), [n, 3], and Y, [n].
  public typealias Layer = OBiGrad<Tensor, [Tensor], [Tensor]>

  /// Where the gradient is estimated, [3].
  public let evaluationPoint = Tensor([1.6, -0.5, 0])
  private static let labelPoint = Tensor([1, -0.8, 0.3])
  private static let treatmentDeviation = 0.5.squareRoot()

  /// The design.
  public init() {}

  /// Independent rows.
  public func sample(
    _ count: Int, using generator: inout PhiloxGenerator
  ) -> BilevelSample<[Tensor], [Tensor]> {
    let x = normal(count, &generator)
    let noise = normal(count, deviation: Self.treatmentDeviation, &generator)
    let features = Self.features(x + noise)
    let probability = sigmoid(product(features, Self.labelPoint) + noise)
    let label = (Tensor.uniform([count], using: &generator) .< probability).cast(to: .float64)
    return BilevelSample(
      FunctionalSample(inputs: x.expandingShape(at: 1), labels: [features, label]))
  }

  /// The layer that estimates the gradient.
  public func layer(nuisances: NuisanceLearner, crossFitting: CrossFitting) -> Layer {
    Layer(
      outputCount: 1, nuisances: nuisances, crossFitting: crossFitting,
      innerLoss: { ω, v, _, y in
        let logOdds = matmul(y[0], ω.expandingShape(at: 1))
        return (sigmoid(logOdds) * softplus(-v) + sigmoid(-logOdds) * softplus(v))
          .squeezingShape(at: 1)
      },
      outerLoss: { _, v, _, y in softplus((1 - 2 * y[1]) * v[0..., 0]) })
  }

  /// ∇F(ω) = E[J (σ(h) − m)] by quadrature, [3].
  public func gradient(at outer: Tensor) -> Tensor {
    let rule = GaussHermite(120)
    let means = conditionalMeans(at: rule.nodes, outer)
    let gap = (means.target - means.label) / means.curvature * rule.weights
    return (gap.expandingShape(at: 1) * means.slope).sum(alongAxis: 0)
  }

  /// The efficient score of every row with the true nuisances, [n, 3].
  ///
  /// With μ = E[g | X], m = E[Y | X], H = μ (1 − μ), J = E[∂g | X] / H, a = −(μ − m) / H and
  /// b = −J (1 + (1 − 2μ) a)
  ///
  ///     φ = J (μ − Y) + b (μ − g) − ∂g a + J H a
  public func oracleScores(
    of sample: BilevelSample<[Tensor], [Tensor]>, at outer: Tensor
  ) -> Tensor {
    let (features, label) = (sample.inner.labels[0], sample.inner.labels[1])
    let means = conditionalMeans(at: sample.inner.inputs[0..., 0], outer)
    let logOdds = product(features, outer)
    let target = sigmoid(logOdds)
    let curvature = means.curvature
    let adjoint = (means.label - means.target) / curvature
    func scaled(_ factor: Tensor, _ rows: Tensor) -> Tensor { factor.expandingShape(at: 1) * rows }
    let jacobian = scaled(1 / curvature, means.slope)
    let adjointSlope = -(1 + (1 - 2 * means.target) * adjoint)
    let alongJacobian =
      means.target - label + adjointSlope * (means.target - target) + curvature * adjoint
    return scaled(alongJacobian, jacobian)
      - scaled(adjoint * target * sigmoid(-logOdds), features)
  }

  /// E[g | X], E[g | X] E[1 − g | X], E[∂_ω g | X] and E[Y | X] at x, [n], by quadrature over η.
  private func conditionalMeans(
    at x: Tensor, _ outer: Tensor
  ) -> (target: Tensor, curvature: Tensor, slope: Tensor, label: Tensor) {
    let rule = GaussHermite(60)
    let noise = Self.treatmentDeviation * rule.nodes
    let (count, nodes) = (x.elementCount, noise.elementCount)
    let features = Self.features((x.expandingShape(at: 1) + noise).flattened())
    let logOdds = product(features, outer).reshaped(to: [count, nodes])
    let (target, complement) = (sigmoid(logOdds), sigmoid(-logOdds))
    let label = sigmoid(
      product(features, Self.labelPoint).reshaped(to: [count, nodes]) + noise)
    let weighted = rule.weights * target * complement
    let slope = weighted.expandingShape(at: 2) * features.reshaped(to: [count, nodes, 3])
    let mean = product(target, rule.weights)
    return (
      mean, mean * product(complement, rule.weights), slope.sum(alongAxis: 1),
      product(label, rule.weights)
    )
  }

  private static func features(_ t: Tensor) -> Tensor {
    columns(sin(1.5 * t), t, .ones(like: t))
  }
}
