import Autodiff
import Inference
import Orthogonal
import Testing

/// A small simulation of instrumental-variable regression with a gradient known in closed form: X normal,
/// S = √2 X, T = S + η, Y = w*ᵀφ(T) + 0.8 η + ε with φ(t) = (sin t, cos t).
@Suite("Calibration") struct CalibrationTests {
  private struct Outcome {
    var covered = [0.0, 0]
    var rootCovered = 0.0
    var jointRejected = 0.0
    var plugInCovered = [0.0, 0]
  }

  private let truth = Tensor([1, -0.5])
  private let point = Tensor([1.3, -0.2])

  private func problem(_ generator: inout PhiloxGenerator) throws -> AffineProblem {
    let draws = Tensor.normal([400, 3], using: &generator)
    let (x, η) = (draws[0..., 0..<1], 0.5 * draws[0..., 1])
    let t = (2.0.squareRoot() * x[0..., 0] + η).expandingShape(at: 1)
    let features = Tensor.concatenated([sin(t), cos(t)], alongAxis: 1)
    let outcome = matmul(features, truth) + 0.8 * η + 0.25 * draws[0..., 2]
    return try AffineProblem(inputs: x, innerSlope: features, outcome: outcome)
  }

  /// j = e^(−1/8) (sin S, cos S) and S of variance 2.
  private var gradient: Tensor {
    let c = Tensor(-0.25)
    let decay = exp(Tensor(-4))
    let diagonal = 0.5 * exp(c) * Tensor.stacked([1 - decay, 1 + decay])
    return diagonal * (point - truth)
  }

  @Test("Intervals cover and those of the plug-in do not")
  func intervalsCoverAndThoseOfThePlugInDoNot() throws {
    let learner = NuisanceLearner.kernelRidge(
      .gaussian(lengthScale: 0.7), ridge: .rate(constant: 0.04, power: 0.4), landmarkCount: 60)
    // An over-smoothed plug-in, with the width an efficient estimator has.
    let smooth = NuisanceLearner.kernelRidge(
      .gaussian(lengthScale: 0.7), ridge: .fixed(0.05), landmarkCount: 60, hasIntercept: false)
    let (count, generator) = (500, PhiloxGenerator(seed: 77))
    var outcome = Outcome()
    for replication in 0..<count {
      var draws = generator.split(key: UInt64(replication))
      let problem = try problem(&draws)
      let fit = try problem.fit(nuisances: learner)
      let estimate = try fit.hypergradient(at: point)
      let plugIn = try problem.fit(.plugIn, nuisances: smooth).hypergradient(at: point)
      let root = try fit.root()
      let half = 1.959963984540054 * estimate.standardErrors
      for coordinate in 0..<2 {
        let limit = half[coordinate].scalar
        let target = gradient[coordinate].scalar
        if abs(estimate.value[coordinate].scalar - target) <= limit {
          outcome.covered[coordinate] += 1 / Double(count)
        }
        if abs(plugIn.value[coordinate].scalar - target) <= limit {
          outcome.plugInCovered[coordinate] += 1 / Double(count)
        }
      }
      let rootError = abs(root.value[0].scalar - truth[0].scalar)
      if rootError <= 1.959963984540054 * root.standardErrors[0].scalar {
        outcome.rootCovered += 1 / Double(count)
      }
      let stationary = try fit.hypergradient(at: truth).jointTest()
      if let test = stationary.value, test.pValue < 0.05 {
        outcome.jointRejected += 1 / Double(count)
      }
    }
    // Three Monte Carlo standard errors around 95 %.
    for coverage in outcome.covered + [outcome.rootCovered] {
      #expect(abs(coverage - 0.95) < 0.03, "\(outcome)")
    }
    #expect(outcome.jointRejected < 0.09, "\(outcome)")
    let worst = outcome.plugInCovered.min() ?? 1
    #expect(worst < 0.85, "\(outcome)")
  }
}
