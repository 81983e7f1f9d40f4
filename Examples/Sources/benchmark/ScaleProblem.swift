import Autodiff
import Bilevel
import ExampleSupport
import Solvers

/// A simulated problem of any size.
struct ScaleProblem {
  let rows: Int
  let features: Int
  private let problem: LogisticWorkload
  private let λ: Tensor

  init(rows: Int, features: Int) {
    self.rows = rows
    self.features = features
    problem = .simulated(rows: rows, features: features, seed: 1)
    λ = Tensor(repeating: -8, shape: [features], .float32)
  }

  func line(_ request: ScaleRequest) throws -> ScaleLine {
    let layer = layer(request)
    TensorMemory.releaseCached()
    var record: TrustRecord?
    let clock = ContinuousClock()
    var duration = Duration.zero
    let (_, bytes) = try PeakMemory.extra {
      duration = try clock.measure {
        _ = try valueWithGradient(at: λ) { λ in
          let solution = try layer.solution(at: λ)
          record = solution.record
          return problem.loss(solution.value)
        }
      }
    }
    return ScaleLine(
      layer: request.layer.rawValue, rows: rows, features: features,
      innerSteps: request.layer == .solved ? record?.inner.iterations ?? 0 : request.innerSteps,
      seconds: duration / .seconds(1), memoryMiB: bytes.map { Double($0) / 1_048_576 },
      innerResidual: record?.inner.relativeResidual ?? .nan,
      adjointResidual: record?.linearSolves.first?.relativeResidual)
  }

  private func layer(_ request: ScaleRequest) -> any BilevelLayer<Tensor, Tensor> {
    switch request.layer {
    case .aid:
      var layer = AID(
        minimizing: problem.objective, from: problem.start,
        solver: GradientDescent(step: .fixed(4), iterations: request.innerSteps),
        adjoint: ConjugateGradient(tolerance: 0, maximumIterations: 20))
      layer.onFailure = .report
      return layer
    case .unrolled, .checkpointed:
      return ITD(
        minimizing: problem.objective, from: problem.start, update: .gradientDescent(step: 4),
        steps: request.innerSteps,
        memory: request.layer == .unrolled ? .full : .checkpointed())
    case .solved:
      return AID(
        minimizing: problem.objective, from: problem.start,
        solver: LBFGS(stopping: StoppingRule(relative: 1e-4)),
        adjoint: ConjugateGradient(tolerance: 1e-4))
    }
  }
}

extension LogisticWorkload {
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
}
