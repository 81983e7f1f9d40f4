import Autodiff

/// Something timed, with figures that prove it computed what it should.
struct Workload {
  let name: String
  let summary: String
  /// Operations to a run, for the time of one.
  var operations = 1
  let run: () throws -> Void
  /// Figure, and what float64 arithmetic gives.
  var checks: () throws -> [Check] = { [] }

  /// A figure of the result beside its reference.
  struct Check: Encodable {
    let name: String
    let value: Double
    let reference: Double
  }
}

extension Workload {
  /// Every workload in the order it runs.
  static var all: [Workload] {
    overheads + [smallNetwork, network, product] + hypergradients + [functional]
  }

  /// One taped elementwise operation on four elements, forward and backward: a chain of 64, so that
  /// opening and closing the transform counts little.
  private static var overheads: [Workload] {
    let x = Tensor([0.1, 0.2, 0.3, 0.4])
    func chain(_ name: String, _ operation: @escaping (Tensor, Tensor) -> Tensor) -> Workload {
      Workload(
        name: "op-\(name)", summary: "\(name) of 4 elements, forward and backward, per operation",
        operations: 64,
        run: {
          _ = gradient(at: x) { x in
            var y = x
            for _ in 0..<64 { y = operation(y, x) }
            return y.sum()
          }
        })
    }
    return [
      chain("sin") { y, _ in sin(y) },
      chain("tanh") { y, _ in tanh(y) },
      chain("add") { y, x in y + x },
      chain("multiply") { y, x in y * x },
    ]
  }

  /// W2: loss and gradient of a 2→32→32→1 tanh network at batch 64, float32.
  private static var smallNetwork: Workload {
    mlp(
      "W2", base: 2000, widths: [2, 32, 32, 1], batch: 64,
      references: (loss: 0.403575329, gradientNorm: 0.630673497))
  }

  /// W1: loss and gradient of a 64→256→256→1 tanh network at batch 512, float32.
  private static var network: Workload {
    mlp(
      "W1", base: 1000, widths: [64, 256, 256, 1], batch: 512,
      references: (loss: 0.348496887, gradientNorm: 0.364930546))
  }

  /// W7a: a product of 1024 × 1024 matrices, float32.
  private static var product: Workload {
    let a = counterUniform(seed: 7001, [1024, 1024])
    let b = counterUniform(seed: 7002, [1024, 1024])
    return Workload(
      name: "W7a", summary: "1024×1024 matrix product, float32", run: { _ = matmul(a, b) },
      checks: {
        let norm = matmul(a, b).norm().scalar
        return [Check(name: "Frobenius norm", value: norm, reference: 10919.611)]
      })
  }

  private static func mlp(
    _ name: String, base: UInt64, widths: [Int], batch: Int,
    references: (loss: Double, gradientNorm: Double)
  ) -> Workload {
    var parameters: [Tensor] = []
    for layer in 0..<widths.count - 1 {
      let scale = 1 / Double(widths[layer]).squareRoot()
      let seed = base + 10 + 2 * UInt64(layer)
      parameters.append(
        counterUniform(seed: seed, [widths[layer], widths[layer + 1]], scale: scale))
      parameters.append(counterUniform(seed: seed + 1, [widths[layer + 1]], scale: scale))
    }
    let x = counterUniform(seed: base + 1, [batch, widths[0]])
    let y = counterUniform(seed: base + 2, [batch, 1])
    let layerCount = widths.count - 1
    let loss = { (parameters: [Tensor]) -> Tensor in
      var h = x
      for layer in 0..<layerCount {
        h = matmul(h, parameters[2 * layer]) + parameters[2 * layer + 1]
        if layer < layerCount - 1 { h = tanh(h) }
      }
      return square(h - y).mean()
    }
    let point = parameters
    return Workload(
      name: name,
      summary: "loss and gradient of a \(widths.map(String.init).joined(separator: "→")) network, "
        + "batch \(batch), float32",
      run: { _ = valueWithGradient(at: point, of: loss) },
      checks: {
        let (value, slopes) = valueWithGradient(at: point, of: loss)
        let norm = slopes.reduce(0) { $0 + square($1.cast(to: .float64)).sum().scalar }
        return [
          Check(name: "loss", value: value.scalar, reference: references.loss),
          Check(
            name: "gradient norm", value: norm.squareRoot(), reference: references.gradientNorm),
        ]
      })
  }
}

/// Elements of U(−1, 1) by SplitMix64 in counter form, as any language can make them; scaled in
/// double precision, then rounded to float32.
func counterUniform(seed: UInt64, _ shape: Shape, scale: Double = 1) -> Tensor {
  counterUniformElements(seed: seed, shape.elementCount, scale: scale, shape: shape)
    .cast(to: .float32)
}

/// The same elements before rounding, float64.
func counterUniformElements(
  seed: UInt64, _ count: Int, scale: Double = 1, shape: Shape? = nil
) -> Tensor {
  let elements = (0..<count).map { index in
    var z = seed &+ UInt64(index + 1) &* 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    z ^= z >> 31
    return (Double(z >> 40) * 0x1p-23 - 1) * scale
  }
  return Tensor(elements, shape: shape ?? [count])
}
