import Autodiff
import Neural
import Testing

@Suite("Training")
struct TrainingTests {
  /// Fits y = sin(2 x₀) + x₁²/2 on 256 points; returns the model and the mean squared error.
  private func fit(
    _ type: ScalarType, _ optimizer: some Optimizer, isSpectrallyNormalized: Bool = false,
    epochs: Int = 60
  ) -> (model: MLP, error: Double) {
    var generator = PhiloxGenerator(seed: 17)
    let x = Tensor.uniform([256, 2], from: -2, to: 2, type, using: &generator)
    let y = sin(2 * x.slice(0..<1, alongAxis: 1)) + 0.5 * square(x.slice(1..<2, alongAxis: 1))
    var optimizer = optimizer
    var model = MLP(
      widths: [2, 32, 32, 1], activation: .tanh,
      isSpectrallyNormalized: isSpectrallyNormalized, scalarType: type, using: &generator)
    for _ in 0..<epochs {
      for indices in Batches(count: 256, batchSize: 32, shuffledUsing: &generator) {
        model.updateState()
        let (rows, targets) = (
          x.gathering(indices, alongAxis: 0), y.gathering(indices, alongAxis: 0)
        )
        let slope = gradient(at: model) { meanSquaredError($0(rows), targets) }
        optimizer.update(&model, along: slope.clipped(toNorm: 10).clipped)
      }
    }
    return (model, meanSquaredError(model(x), y).scalar)
  }

  @Test("Every optimiser fits a smooth function", arguments: [ScalarType.float32, .float64])
  func convergence(_ type: ScalarType) {
    // The outcome has variance 0.86.
    #expect(fit(type, Adam(learningRate: 1e-2)).error < 0.01)
    #expect(
      fit(type, Adam(learningRate: 1e-2, weightDecay: 1e-3, isDecayDecoupled: true)).error < 0.01)
    #expect(
      fit(type, SGD(learningRate: 0.05, momentum: 0.9, isNesterov: true)).error < 0.02)
  }

  @Test("Spectral normalisation bounds the slope of the trained network")
  func spectral() throws {
    let (model, _) = fit(
      .float64, Adam(learningRate: 1e-2), isSpectrallyNormalized: true, epochs: 5)
    // tanh has slope at most 1, so ‖∂y/∂x‖ is at most the product of the layers' norms: near 1,
    // as far as one power iteration a step follows the weights.
    let slope = gradient(at: Tensor([0.3, -0.2])) { model($0).sum() }
    #expect(slope.norm().scalar < 1.1)
  }

  @Test("Two runs from one seed end in the same bits")
  func reproducibility() {
    for type in [ScalarType.float32, .float64] {
      let runs = (0..<2).map { _ in fit(type, Adam(learningRate: 1e-2), epochs: 3).model }
      expectEqual(runs[0], runs[1])
    }
  }

  @Test("Training a copy leaves the original as it was")
  func copies() {
    var generator = PhiloxGenerator(seed: 1)
    let original = MLP(widths: [2, 4, 1], using: &generator)
    let before = original.tensors.map(\.scalars)
    var copy = original
    var optimizer = SGD(learningRate: 0.1)
    let slope = gradient(at: copy) { weighed($0(Tensor.ones([3, 2]))) }
    optimizer.update(&copy, along: slope)
    #expect(original.tensors.map(\.scalars) == before)
    #expect(copy.tensors.map(\.scalars) != before)
  }
}
