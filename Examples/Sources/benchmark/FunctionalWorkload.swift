import Autodiff
import Bilevel
import Neural

/// One outer iteration of functional implicit differentiation on a two-stage problem: 20 steps of
/// the prediction network, 20 of the adjoint network, one hypergradient.
///
///     ℓ_in = ‖h_θ(z) − φ_ω(t)‖²,   L_out = mean (o − u·h_θ(z))²
struct FunctionalWorkload {
  private static let count = 1024
  private static let widths = [3, 256, 128, 128, 32]

  private let z = counterUniform(seed: 5001, [count, 3])
  private let t = counterUniform(seed: 5002, [count, 64])
  private let o = counterUniform(seed: 5003, [count])
  private let u = counterUniform(seed: 5004, [32], scale: 1 / 32.0.squareRoot())
  private let ω = Sequential(Self.layers(base: 5200, widths: [64, 256, 128, 32]))

  /// What one iteration leaves.
  struct Result {
    let inner: Double
    let outer: Double
    let ωGradient: Sequential
    let uGradient: Tensor
  }

  func run() throws -> Result {
    let layer = FuncID<Sequential, Tensor>(
      outputCount: 32, in: .network(Self.network(base: 5100)),
      adjoint: .trained(Self.network(base: 5300))
    ) { _, v, _, targets in square(v - targets).sum(alongAxis: 1) }
    var inner = Double.nan
    let (value, slopes) = try valueWithGradient(at: ω, u) { (ω: Sequential, u: Tensor) throws in
      let targets = ω(t)
      let h = try layer.solution(at: ω, on: FunctionalSample(inputs: z, labels: targets))
      let v = try h(z)
      inner = stopGradient(square(v - targets).sum(alongAxis: 1).mean()).scalar
      return square(o - matmul(v, u)).mean()
    }
    return Result(inner: inner, outer: value.scalar, ωGradient: slopes.0, uGradient: slopes.1)
  }

  private static func network(base: UInt64) -> NetworkClass {
    var layers = layers(base: base, widths: widths)
    guard let head = layers.removeLast() as? Dense else { fatalError("a network ends in Dense") }
    return NetworkClass(
      features: Sequential(layers), head: .trained(head),
      training: InnerTraining(optimizer: Adam(learningRate: 1e-4), stepCount: 20))
  }

  private static func layers(base: UInt64, widths: [Int]) -> [any Layer] {
    (0..<widths.count - 1).flatMap { index -> [any Layer] in
      let scale = 1 / Double(widths[index]).squareRoot()
      let seed = base + 10 + 2 * UInt64(index)
      let dense = Dense(
        weight: counterUniform(seed: seed, [widths[index], widths[index + 1]], scale: scale),
        bias: counterUniform(seed: seed + 1, [widths[index + 1]], scale: scale))
      return index < widths.count - 2 ? [dense, Activation.relu] : [dense]
    }
  }
}

extension Workload {
  /// W5: one outer iteration of FuncID, 1024 rows, float32.
  static var functional: Workload {
    let workload = FunctionalWorkload()
    return Workload(
      name: "W5", summary: "FuncID: 20 inner and 20 adjoint steps, one hypergradient, 1024 rows",
      run: { _ = try workload.run() },
      checks: {
        let result = try workload.run()
        return [
          Check(name: "inner loss", value: result.inner, reference: 0.196878271),
          Check(name: "outer loss", value: result.outer, reference: 0.338155414),
          Check(
            name: "ω gradient norm", value: result.ωGradient.globalNorm, reference: 0.394759751),
          Check(
            name: "u gradient norm", value: result.uGradient.globalNorm, reference: 0.0277934588),
        ]
      })
  }
}
