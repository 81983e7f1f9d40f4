import Autodiff
import Bilevel
import Orthogonal

/// A small sample with a normal instrument and everything that fits are made of.
enum SineDesign {
  static let point = Tensor([1, 0.5])

  static func sample(_ count: Int) -> FunctionalSample<[Tensor]> {
    var generator = PhiloxGenerator(seed: 1)
    let inputs = Tensor.normal([count, 1], using: &generator)
    let noise = Tensor.normal([count, 2], using: &generator)
    let treatment = inputs + 0.5 * noise[0..., 0..<1]
    return FunctionalSample(inputs: inputs, labels: [treatment, treatment + noise[0..., 1..<2]])
  }

  static func layer(_ learner: NuisanceLearner) -> OBiGrad<Tensor, [Tensor], [Tensor]> {
    OBiGrad(
      outputCount: 1, nuisances: learner, crossFitting: CrossFitting(foldCount: 2),
      innerLoss: { ω, v, _, y in
        (softplus(v) - sigmoid(ω[0] * sin(y[0]) + ω[1]) * v).sum(alongAxis: 1)
      },
      outerLoss: { _, v, _, y in (softplus(v) - sigmoid(y[1]) * v).sum(alongAxis: 1) })
  }

  static let polynomials = NuisanceLearner.linear(
    LinearClass(ridge: 1e-3, hasIntercept: true) { x in
      Tensor.concatenated([x, x * x], alongAxis: 1)
    })

  static func affine(groups: [Int]? = nil) throws -> AffineProblem {
    let sample = sample(40)
    return try AffineProblem(
      inputs: sample.inputs, innerSlope: sample.labels[0], outcome: sample.labels[1][0..., 0],
      groups: groups)
  }
}
