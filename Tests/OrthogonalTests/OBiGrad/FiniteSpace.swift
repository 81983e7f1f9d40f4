import Autodiff
import Bilevel
import Orthogonal

/// A probability space of 4 inputs × 5 outcomes with smooth losses that are not quadratic, two outputs
/// and three outer parameters, on which expectations are finite sums.
///
///     ℓ_in  = Σ_q e^(zᵀω) v²/2 + c log cosh(v − Gω)
///     ℓ_out = ½ ‖v − y‖² + vᵀBω + 0.3 ω₀ sin v₀
struct FiniteSpace {
  let reference: OrthogonalReference
  let sample: FunctionalSample<[Tensor]>
  let point: Tensor

  init() throws {
    reference = try OrthogonalReference("finite")
    point = reference["point"]
    sample = Self.sample(reference["probabilities"], reference)
  }

  /// The space with other probabilities, [4, 5].
  static func sample(
    _ probabilities: Tensor, _ reference: OrthogonalReference
  ) -> FunctionalSample<[Tensor]> {
    let inputs = Tensor.range(4).expandingShape(at: 1).broadcast(to: [4, 5])
    return FunctionalSample(
      inputs: inputs.reshaped(to: [20, 1]),
      labels: [
        reference["G"].reshaped(to: [20, 2, 3]), reference["z"].reshaped(to: [20, 3]),
        reference["c"].reshaped(to: [20, 2]), reference["y"].reshaped(to: [20, 2]),
      ],
      weights: probabilities.reshaped(to: [20]))
  }

  static func innerLoss(_ ω: Tensor, _ v: Tensor, _ x: Tensor, _ y: [Tensor]) -> Tensor {
    let scale = exp(matmul(y[1], ω.expandingShape(at: 1)))
    let center = (y[0] * ω).sum(alongAxis: 2)
    let u = v - center
    // log cosh u = u + softplus(−2u) − log 2.
    let logCosh = u + softplus(-2 * u) - 0.6931471805599453
    return (0.5 * scale * square(v) + y[2] * logCosh).sum(alongAxis: 1)
  }

  func outerLoss(_ ω: Tensor, _ v: Tensor, _ x: Tensor, _ y: [Tensor]) -> Tensor {
    let drift = matmul(reference["B"], ω.expandingShape(at: 1)).squeezingShape(at: 1)
    return 0.5 * square(v - y[3]).sum(alongAxis: 1) + (v * drift).sum(alongAxis: 1)
      + 0.3 * ω[0] * sin(v[0..., 0])
  }

  /// The layer for these losses, with a table for the nuisances where they are fitted.
  var layer: OBiGrad<Tensor, [Tensor], [Tensor]> {
    OBiGrad(
      outputCount: 2, nuisances: .linear(.tabular(count: 4)), innerLoss: Self.innerLoss,
      outerLoss: outerLoss)
  }

  /// The fit with nuisances h + J (ω − ω₀) and a + b (ω − ω₀).
  func fit(
    h: Tensor, _ jacobian: Tensor, a: Tensor, _ adjointJacobian: Tensor, isOrthogonal: Bool = true
  ) throws -> OrthogonalFit<Tensor> {
    func function(_ value: Tensor, _ slope: Tensor) -> @Sendable (Tensor, Tensor) -> Tensor {
      { ω, x in
        let rows = x[0..., 0].cast(to: .int32)
        let change = (slope * (ω - point)).sum(alongAxis: 2)
        return (value + change).gathering(rows, alongAxis: 0)
      }
    }
    var layer = layer
    layer.isOrthogonal = isOrthogonal
    return try layer.fit(
      on: BilevelSample(sample), prediction: function(h, jacobian),
      adjoint: function(a, adjointJacobian))
  }

  /// The gradient of F in a population with other probabilities, through the exact inner solution.
  func gradient(probabilities: Tensor) throws -> Tensor {
    let sample = Self.sample(probabilities, reference)
    let inner = FuncID<Tensor, [Tensor]>(
      outputCount: 2, in: .linear(.tabular(count: 4)), innerLoss: Self.innerLoss)
    return try Autodiff.gradient(at: point) { ω in
      let h = try inner.solution(at: ω, on: sample)
      let v = try h(sample.inputs)
      return dot(
        probabilities.reshaped(to: [20]), outerLoss(ω, v, sample.inputs, sample.labels))
    }
  }
}
