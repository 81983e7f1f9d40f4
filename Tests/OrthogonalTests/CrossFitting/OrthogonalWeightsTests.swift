import Autodiff
import Bilevel
import GradientCheck
import Inference
import Orthogonal
import Testing

/// Weighted samples: standard errors, derivatives, weights of zero, and the correction for shared noise.
@Suite("Weights of rows") struct OrthogonalWeightsTests {
  private static let count = 80
  private let linearClass = LinearClass(
    ridge: 1e-3, hasIntercept: true, penalizesIntercept: false
  ) { x in Tensor.concatenated([x, x * x, x * x * x], alongAxis: 1) }
  private let point = Tensor([1, 0.5])
  private let inputs: Tensor
  private let labels: [Tensor]
  private let folds: Folds

  init() throws {
    var generator = PhiloxGenerator(seed: 1)
    inputs = Tensor.normal([Self.count, 1], using: &generator)
    let noise = Tensor.normal([Self.count, 2], using: &generator)
    let treatment = inputs + 0.5 * noise[0..., 0..<1]
    labels = [treatment, sin(treatment) + 0.8 * noise[0..., 0..<1] + 0.3 * noise[0..., 1..<2]]
    folds = try Folds(assignment: (0..<Self.count).map { $0 % 4 })
  }

  private func sample(_ weights: Tensor?) -> BilevelSample<[Tensor], [Tensor]> {
    BilevelSample(FunctionalSample(inputs: inputs, labels: labels, weights: weights))
  }

  private func quadratic(_ noise: SharedNoise = .corrected) -> OBiGrad<Tensor, [Tensor], [Tensor]> {
    .quadratic(
      nuisances: .linear(linearClass),
      crossFitting: CrossFitting(folds: [folds]).with(sharedNoise: noise),
      innerTarget: { ω, _, y in ω[0] * sin(y[0]) + ω[1] * cos(ω[1] * y[0]) },
      outerTarget: { _, _, y in y[1] })
  }

  /// What a loss has in common for all rows is known, whatever the weights: it moves the objective and not
  /// its standard error.
  @Test("Constants have no error") func constantsHaveNoError() throws {
    var generator = PhiloxGenerator(seed: 2)
    let weights = exp(Tensor.normal([Self.count], using: &generator))
    func objective(_ constant: Double) throws -> Estimate {
      let layer = OBiGrad<Tensor, [Tensor], [Tensor]>(
        outputCount: 1, nuisances: .linear(linearClass),
        crossFitting: CrossFitting(folds: [folds]),
        innerLoss: { ω, v, _, y in 0.5 * square(v - ω[0] * y[0]).sum(alongAxis: 1) },
        outerLoss: { _, v, _, y in 0.5 * square(v - y[1]).sum(alongAxis: 1) + constant })
      return try layer.fit(on: sample(weights), at: point).objective(at: point)
    }
    let (plain, raised) = (try objective(0), try objective(100))
    #expect(abs(raised.value[0].scalar - plain.value[0].scalar - 100) < 1e-10)
    #expect(abs(raised.standardErrors[0].scalar / plain.standardErrors[0].scalar - 1) < 1e-10)
  }

  /// The derivative in weights goes through nuisances and through the means of the score.
  @Test("Debiased value has its derivative in the weights", arguments: [true, false])
  func debiasedValueHasItsDerivativeInTheWeights(
    isQuadratic: Bool
  ) throws {
    let general = OBiGrad<Tensor, [Tensor], [Tensor]>(
      outputCount: 1, nuisances: .linear(linearClass), crossFitting: CrossFitting(folds: [folds]),
      innerLoss: { ω, v, _, y in
        (softplus(v) - sigmoid(ω[0] * sin(y[0]) + ω[1]) * v).sum(alongAxis: 1)
      },
      outerLoss: { _, v, _, y in (softplus(v) - sigmoid(y[1]) * v).sum(alongAxis: 1) })
    let layer = isQuadratic ? quadratic() : general
    try requireGradients(at: Tensor(0.3)) { θ in
      let weights = exp(θ * labels[1][0..., 0])
      return try layer.fit(on: sample(weights), at: point).value(at: point)
    }
  }

  /// A whole fold may have no weight; its rows then count nowhere.
  @Test("Folds without weight count nowhere") func foldsWithoutWeightCountNowhere() throws {
    let kept = Tensor(indices: (0..<Self.count).filter { $0 % 4 != 0 })
    let isKept = Tensor((0..<Self.count).map { $0 % 4 == 0 ? 0.0 : 1 })
    let all = try quadratic().fit(on: sample(isKept), at: point).value(at: point)
    var layer = quadratic()
    layer.crossFitting.folds = [try Folds(assignment: kept.scalars.map { Int($0) % 4 - 1 })]
    let part = try layer.fit(
      on: BilevelSample(
        FunctionalSample(
          inputs: inputs.gathering(kept, alongAxis: 0),
          labels: labels.map { $0.gathering(kept, alongAxis: 0) })), at: point
    ).value(at: point)
    #expect(abs(all.scalar - part.scalar) < 1e-12)
  }

  /// A weight of two is a row that is there twice, beside the noise that it does not double: the
  /// predictions and their average over held-out rows.
  @Test("Correction is a weighted mean over held out rows")
  func correctionIsAWeightedMeanOverHeldOutRows() throws {
    let weights = Tensor((0..<Self.count).map { $0 % 3 == 0 ? 2.0 : 1 })
    func value(_ noise: SharedNoise) throws -> Double {
      try quadratic(noise).fit(on: sample(weights), at: point).value(at: point).scalar
    }
    var expected = 0.0
    let features = linearClass.features(inputs)
    let g = point[0] * sin(labels[0]) + point[1] * cos(point[1] * labels[0])
    for fold in 0..<4 {
      let (training, held) = (folds.training(fold), folds.held(fold))
      let (phi, w) = (
        features.gathering(training, alongAxis: 0), weights.gathering(training, alongAxis: 0)
      )
      let weighted = phi * (w / w.sum()).expandingShape(at: 1)
      let penalty = Tensor([0.002, 0.002, 0.002, 0]).embeddedDiagonal()
      let operation = try solve(
        matmul(phi, weighted, transposeA: true) + penalty, weighted.transposed())
      let toHeld = matmul(features.gathering(held, alongAxis: 0), operation)
      let hat = matmul(phi, operation)
      let heldWeights = weights.gathering(held, alongAxis: 0)
      let mean = matmul(heldWeights.expandingShape(at: 0), square(toHeld))[0, 0...]
      func errors(_ targets: Tensor) -> Tensor {
        let targets = targets.gathering(training, alongAxis: 0)
        return (targets - matmul(hat, targets))[0..., 0]
      }
      let (eg, ey) = (errors(g), errors(labels[1]))
      let noise = square(eg - ey) - square(ey)
      expected += 0.5 * (mean * noise / (1 - hat.diagonal())).sum().scalar
    }
    expected /= weights.sum().scalar
    let difference = try value(.corrected) - value(.kept)
    #expect(abs(difference / expected - 1) < 1e-9)
  }
}
