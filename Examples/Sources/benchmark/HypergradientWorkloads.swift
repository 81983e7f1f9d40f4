import Autodiff
import Bilevel
import Solvers

/// Per-feature regularised logistic regression: W4 without its size.
///
///     f(w, λ) = mean log(1 + exp(−s a·w)) + ½ Σ exp(λⱼ) wⱼ²,   g(w) = the same mean on other rows
///
/// Labels are folded into the rows, so that a row is s a.
struct LogisticWorkload {
  let training: Tensor
  let validation: Tensor
  let start: Tensor

  func objective(_ w: Tensor, _ λ: Tensor) -> Tensor {
    softplus(-matmul(training, w)).mean() + 0.5 * (exp(λ) * square(w)).sum()
  }

  func loss(_ w: Tensor) -> Tensor { softplus(-matmul(validation, w)).mean() }
}

extension Workload {
  /// W4, W4b and W8: hypergradients of a logistic regression with 200 features and as many
  /// hyper-parameters, 2000 training and 1000 validation rows, float32.
  static var hypergradients: [Workload] {
    let problem = LogisticWorkload.w4
    let λ = (counterUniformElements(seed: 4006, 200) - 6).cast(to: .float32)
    let aid = problem.fixedCountAID(step: 8, steps: 500, adjointSteps: 50)
    let reached = Memoised { try aid.solution(at: λ).value }
    let itd = ITD(
      minimizing: problem.objective, startingAt: problem.start,
      update: .gradientDescent(step: 8), steps: 100)
    return [
      Workload(
        name: "W4", summary: "AID: 500 gradient steps, 50 CG steps, 2000×200 logistic, float32",
        run: { _ = try problem.hypergradient(of: aid, at: λ) },
        checks: {
          let (value, slope) = try problem.hypergradient(of: aid, at: λ)
          let norms = (float64Norm(slope), float64Norm(try reached.value()))
          return [
            Check(name: "outer loss", value: value.scalar, reference: 0.312309643),
            Check(name: "hypergradient norm", value: norms.0, reference: 0.0118661608),
            Check(name: "w norm", value: norms.1, reference: 7.84452788),
          ]
        }),
      Workload(
        name: "W4b", summary: "W4 from its inner solution: the adjoint and the cross derivative",
        run: { _ = try adjointOnly(aid, problem, λ, try reached.value()) },
        checks: {
          let slope = try adjointOnly(aid, problem, λ, try reached.value())
          return [
            Check(
              name: "hypergradient norm", value: float64Norm(slope), reference: 0.0118661608)
          ]
        }),
      Workload(
        name: "W8", summary: "ITD: reverse mode through 100 gradient steps of W4's problem",
        run: { _ = try problem.hypergradient(of: itd, at: λ) },
        checks: {
          let (value, slope) = try problem.hypergradient(of: itd, at: λ)
          return [
            Check(name: "outer loss", value: value.scalar, reference: 0.314907814),
            Check(
              name: "hypergradient norm", value: float64Norm(slope), reference: 0.0113544725),
          ]
        }),
    ]
  }

  private static func adjointOnly(
    _ layer: AID<Tensor, Tensor>, _ problem: LogisticWorkload, _ λ: Tensor, _ w: Tensor
  ) throws -> Tensor {
    try layer.hypergradient(at: λ, evaluatedAt: w) { w, _ in problem.loss(w) }.gradient
  }
}

private func float64Norm(_ tensor: Tensor) -> Double { tensor.cast(to: .float64).norm().scalar }

/// A value made when it is first asked for.
private final class Memoised {
  private var kept: Tensor?
  private let make: () throws -> Tensor

  init(_ make: @escaping () throws -> Tensor) { self.make = make }

  func value() throws -> Tensor {
    if let kept { return kept }
    let value = try make()
    kept = value
    return value
  }
}

extension LogisticWorkload {
  /// The outer loss and its derivative through a layer.
  fileprivate func hypergradient(
    of layer: some BilevelLayer<Tensor, Tensor>, at λ: Tensor
  ) throws -> (value: Tensor, gradient: Tensor) {
    try valueWithGradient(at: λ) { loss(try layer.solution(at: $0).value) }
  }

  /// Exact numbers of steps, as other libraries run them: nothing stops early, so nothing counts
  /// as converged.
  func fixedCountAID(step: Double, steps: Int, adjointSteps: Int) -> AID<Tensor, Tensor> {
    var layer = AID(
      minimizing: objective, startingAt: start,
      solver: GradientDescent(step: .fixed(step), iterations: steps),
      adjoint: ConjugateGradient(tolerance: 0, maximumIterations: adjointSteps))
    layer.onFailure = .report
    return layer
  }

  /// Rows a = s x with x ~ U(−1, 1) / √j-decaying scales and signs s from a linear model with noise.
  static func simulated(rows: Int, features: Int, seed: UInt64) -> LogisticWorkload {
    var generator = PhiloxGenerator(seed: seed)
    let scale = 1 / sqrt(1 + Tensor.range(features, .float32) / 20)
    let truth = Tensor.normal([features], .float32, using: &generator)
    func signedRows(_ count: Int) -> Tensor {
      let x = (2 * Tensor.uniform([count, features], .float32, using: &generator) - 1) * scale
      let noise = Tensor.normal([count], .float32, using: &generator)
      let margin = matmul(x, truth) + noise
      let sign = select(margin .>= 0, Tensor.ones(like: margin), -Tensor.ones(like: margin))
      return x * sign.reshaped(to: [count, 1])
    }
    return LogisticWorkload(
      training: signedRows(rows), validation: signedRows(max(1, rows / 10)),
      start: Tensor.zeros([features], .float32))
  }

  /// The inputs of W4.
  static var w4: LogisticWorkload {
    let (n, m, d) = (2000, 1000, 200)
    let scale = 1 / (1 + Tensor.range(d) / 20)
    let truth = counterUniformElements(seed: 4003, d) * 4
    // Rows are rounded to float32 before the labels are taken from them in double precision.
    func rows(_ count: Int, seed: UInt64, noise: UInt64) -> Tensor {
      let raw = counterUniformElements(seed: seed, count * d, shape: [count, d])
      let a = (raw * scale).cast(to: .float32)
      let margin =
        matmul(a.cast(to: .float64), truth) + counterUniformElements(seed: noise, count)
      let signs = select(margin .>= 0, Tensor.ones(like: margin), -Tensor.ones(like: margin))
      return signs.cast(to: .float32).reshaped(to: [count, 1]) * a
    }
    return LogisticWorkload(
      training: rows(n, seed: 4001, noise: 4004), validation: rows(m, seed: 4002, noise: 4005),
      start: Tensor.zeros([d], .float32))
  }
}
