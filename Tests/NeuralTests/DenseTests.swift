import Autodiff
import Neural
import TestSupport
import Testing

@Suite("Dense")
struct DenseTests {
  private let dense = Dense(
    weight: Tensor(rows: [[1, -1, 0.5], [2, 0, -3]]), bias: Tensor([10, 20, 30]))

  @Test("y = x W + b", arguments: [ScalarType.float32, .float64])
  func value(_ type: ScalarType) {
    let layer = dense.mapTensors { $0.cast(to: type) }
    let y = layer(Tensor(rows: [[1, 2], [-1, 0.5]]).cast(to: type))
    #expect(y.scalarType == type)
    #expect(y.shape == [2, 3])
    #expect(y.scalars == [15, 19, 24.5, 10, 21, 28])
  }

  @Test("A vector and a batch of batches map their last axis")
  func ranks() {
    #expect(dense(Tensor([1, 2])).scalars == [15, 19, 24.5])
    let x = Tensor.ones([4, 5, 2])
    #expect(dense(x).shape == [4, 5, 3])
    #expect(dense(x).slice(0..<1, alongAxis: 0).scalars.prefix(3) == [13, 19, 27.5])
  }

  @Test("The gradient is x ᵀȳ, Σȳ and ȳWᵀ")
  func gradients() {
    let x = Tensor(rows: [[1, 2], [-1, 0.5]])
    let weights = Tensor(rows: [[1, 2, 3], [4, 5, 6]])
    let (dLayer, dx) = gradient(at: dense, x) { layer, x in (layer(x) * weights).sum() }
    #expect(dLayer.weight.scalars == [-3, -3, -3, 4, 6.5, 9])
    #expect(dLayer.bias?.scalars == [5, 7, 9])
    #expect(dx.scalars == [0.5, -7, 2, -10])
  }

  @Test("Derivatives agree with differences")
  func derivatives() {
    let x = Tensor(rows: [[0.3, -0.2], [1, 0.5]])
    expectDerivatives(at: dense) { weighed(tanh(0.1 * $0(x))) }
    expectDerivatives(at: x) { weighed(tanh(0.1 * dense($0))) }
  }

  @Test("Leaves are named; without a bias there is one")
  func leaves() {
    #expect(dense.tensorPaths == ["weight", "bias"])
    #expect(Dense(weight: dense.weight).tensorPaths == ["weight"])
    #expect(dense.inputSize == 2 && dense.outputSize == 3)
  }

  @Test("Random parameters: shapes, bounds, the same bits from the same seed")
  func random() {
    var generator = PhiloxGenerator(seed: 7)
    let first = Dense(inputSize: 25, outputSize: 40, scalarType: .float32, using: &generator)
    let second = Dense(inputSize: 25, outputSize: 40, scalarType: .float32, using: &generator)
    generator = PhiloxGenerator(seed: 7)
    let again = Dense(inputSize: 25, outputSize: 40, scalarType: .float32, using: &generator)
    #expect(first.weight.shape == [25, 40] && first.bias?.shape == [40])
    #expect(first.tensors.allSatisfy { $0.normInfinity().scalar <= 0.2 })
    expectEqual(first, again)
    #expect(!first.weight.isBitwiseEqual(to: second.weight))
    let plain = Dense(inputSize: 2, outputSize: 3, weight: .zeros, bias: nil, using: &generator)
    #expect(plain.bias == nil && plain.weight.scalars.allSatisfy { $0 == 0 })
  }

  @Test("Refuses inputs of another size, and tensors that do not fit together")
  func refusals() async {
    let size = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Dense(weight: Tensor.ones([2, 3]))(Tensor.ones([4, 5]))
    }
    expectMessage(size, "Dense: a weight [2, 3] takes inputs […, 2], found shape [4, 5]")
    let bias = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Dense(weight: Tensor.ones([2, 3]), bias: Tensor.ones([2]))
    }
    expectMessage(bias, "Dense: a weight [2, 3] float64 needs a bias [3]", "found [2] float64")
    let rank = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Dense(weight: Tensor.ones([3]))
    }
    expectMessage(rank, "Dense: expected a floating-point weight [inputs, outputs], found [3]")
  }
}
