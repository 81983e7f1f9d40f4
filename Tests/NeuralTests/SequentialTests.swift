import Autodiff
import Neural
import Testing

/// A composite as a user writes it.
private struct Residual: Layer {
  var inner: Sequential
  mutating func visitTensors(_ visitor: inout TensorVisitor) {
    visitor.visit(&inner, "inner")
  }
  mutating func updateState() { inner.updateState() }
  func callAsFunction(_ x: Tensor) -> Tensor { x + inner(x) }
}

@Suite("Sequential")
struct SequentialTests {
  private let x = Tensor(rows: [[0.2, -0.4, 1], [1.5, 0.3, -0.6]])

  private func model() -> Sequential {
    var generator = PhiloxGenerator(seed: 3)
    return Sequential {
      Dense(inputSize: 3, outputSize: 4, using: &generator)
      Activation.tanh
      LayerNorm(featureCount: 4)
      Residual(
        inner: Sequential {
          SpectralNormalization(
            Dense(inputSize: 4, outputSize: 4, using: &generator), using: &generator)
          Activation.gelu
        })
      Dense(inputSize: 4, outputSize: 2, bias: nil, using: &generator)
    }
  }

  @Test("Applies layers in order")
  func composition() throws {
    let model = model()
    let expected = model.layers.reduce(x) { $1($0) }
    #expect(model(x).isBitwiseEqual(to: expected))
    #expect(model(x).shape == [2, 2])
    #expect(Sequential([])(x).isBitwiseEqual(to: x))
    let halves = Sequential([
      Sequential(Array(model.layers.prefix(2))), Sequential(Array(model.layers.dropFirst(2))),
    ])
    #expect(halves(x).isBitwiseEqual(to: expected))
  }

  @Test("Leaves are named by position")
  func leaves() {
    #expect(
      model().tensorPaths == [
        "0.weight", "0.bias", "2.weight", "2.bias", "3.inner.0.weight", "3.inner.0.bias",
        "4.weight",
      ])
  }

  @Test("A builder closure takes loops and conditions", arguments: [false, true])
  func builder(_ isNormalized: Bool) {
    var generator = PhiloxGenerator(seed: 1)
    let model = Sequential {
      for _ in 0..<2 {
        Dense(inputSize: 3, outputSize: 3, using: &generator)
        if isNormalized { LayerNorm(featureCount: 3) }
      }
      if isNormalized { Activation.relu } else { Activation.tanh }
      [Activation.sigmoid, Activation.identity] as [any Layer]
    }
    #expect(model.layers.count == (isNormalized ? 7 : 5))
    #expect(model.tensors.count == (isNormalized ? 8 : 4))
    #expect(model.layers.contains { $0 as? Activation == (isNormalized ? .relu : .tanh) })
  }

  @Test("Copies are independent: setting leaves and updating state leave the original")
  func values() {
    let original = model()
    var copy = original
    copy.tensors = copy.tensors.map { $0 + 1 }
    copy.updateState()
    expectEqual(original, model())
    #expect(original(x).isBitwiseEqual(to: model()(x)))
    #expect(!copy(x).isBitwiseEqual(to: original(x)))
    copy.layers[0] = Activation.identity
    #expect(original.layers[0] is Dense)
  }

  @Test("Forwards updateState into nested layers")
  func state() throws {
    var changed = model()
    changed.tensors[4] = Tensor.identity(4) + 0.1
    let stale = changed(x)
    changed.updateState()
    #expect(!changed(x).isBitwiseEqual(to: stale))
    let residual = try #require(changed.layers[3] as? Residual)
    #expect(residual.inner.layers[0] is SpectralNormalization)
  }

  @Test("Derivatives through existential layers agree with differences")
  func derivatives() {
    expectDerivatives(at: model()) { weighed($0(x)) }
    let model = model()
    expectDerivatives(at: x) { weighed(model($0)) }
  }
}
