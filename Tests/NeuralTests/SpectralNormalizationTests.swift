import Autodiff
import Neural
import TestSupport
import Testing

@Suite("SpectralNormalization")
struct SpectralNormalizationTests {
  private let x = Tensor(rows: [[0.2, -0.4, 1], [1.5, 0.3, -0.6]])

  /// The transpose of the weight given to PyTorch, with its vectors: PyTorch's `_v` is the left
  /// vector here and its `_u` the right one.
  private func layer() -> SpectralNormalization {
    var generator = PhiloxGenerator(seed: 1)
    let weight = Tensor(
      rows: [[1, 0.3, 0.7, -1.2], [-0.5, 2, 0.1, 0.4], [0.25, -1, 0.6, 0.9]])
    var layer = SpectralNormalization(
      Dense(weight: weight, bias: Tensor([0.1, -0.1, 0.2, 0])), using: &generator)
    layer.leftVector = Tensor([0.6, 0, 0.8])
    layer.rightVector = Tensor([0.5, 0.5, 0.5, 0.5])
    return layer
  }

  /// PyTorch 2.15 in float64: nn.utils.parametrizations.spectral_norm(Linear(3, 4)) in training
  /// mode, which iterates once before the forward pass.
  @Test("Two training steps agree with PyTorch: vectors, values and gradient")
  func reference() {
    var layer = layer()
    layer.updateState()
    expectClose(
      layer.leftVector, [0.5165590942127172, -0.6436226656187394, 0.5647269840267648])
    expectClose(
      layer.rightVector,
      [0.5906673511848937, -0.4577671971682926, 0.6645007700830052, 8.197156164747777e-17])
    expectClose(
      layer(x),
      [
        0.4655611282242029, -1.0785790201694048, 0.59368121501068, 0.2812008678647714,
        0.7748820828754514, 0.8279628639537459, 0.6049292497252708, -1.248531853319585,
      ])
    let weights = Tensor(rows: [[1, -1, 0.5, 2], [0.25, 0.75, -0.5, 1]])
    let slope = gradient(at: layer) { ($0(x) * weights).sum() }
    expectClose(
      slope.dense.weight,
      [
        0.06305488370623985, 0.7219743441619689, -0.658428006854731, 1.0685632978861315,
        0.14158075198458944, 0.1001210648560289, 0.16806587310343715, -0.2812008678647714,
        0.19344057866591824, -0.5949168218620875, 0.12974537979141698, 0.7873624300213601,
      ])
    expectClose(slope.dense.bias ?? Tensor(0), [1.25, -0.25, 0, 3])
    layer.updateState()
    expectClose(
      layer(x),
      [
        0.3930120289027672, -0.8843706619858691, 0.5155514157414416, 0.22539386838674402,
        0.6409452841281855, 0.6437997656762552, 0.5245671704769113, -1.0007487756371432,
      ])
  }

  @Test("The gradient is that of W / (uᵀ W v) with u and v fixed, to second order")
  func fixedVectors() {
    let layer = layer()
    expectDerivatives(at: layer) { weighed($0(x)) }
    expectDerivatives(at: x) { weighed(layer($0)) }
    // Written out: W̄ = G/σ − ⟨G, W⟩/σ² u vᵀ for a loss ⟨G, W/σ⟩.
    let g = Tensor((0..<12).map { 0.25 * Double($0) - 1 }, shape: [3, 4])
    let slope = gradient(at: layer, unused: .zero) { ($0.normalizedWeight * g).sum() }
    let (w, sigma) = (layer.dense.weight, layer.spectralNorm.scalar)
    let inner = (g * w).sum().scalar
    let rankOne = outer(layer.leftVector, layer.rightVector)
    let expected = g / sigma - (inner / (sigma * sigma)) * rankOne
    expectClose(slope.dense.weight, expected.scalars)
  }

  @Test("Converges to the largest singular value, the root of an eigenvalue of WᵀW")
  func singularValue() throws {
    for (inputs, outputs) in [(3, 4), (4, 3), (6, 6), (1, 5), (5, 1)] {
      var generator = PhiloxGenerator(seed: 2)
      let dense = Dense(inputSize: inputs, outputSize: outputs, using: &generator)
      var layer = SpectralNormalization(dense, using: &generator)
      let gram = matmul(dense.weight, dense.weight, transposeA: true)
      let largest = try #require(try symmetricEigenvalues(gram).scalars.last).squareRoot()
      // u and v are unit vectors, so uᵀWv never exceeds the norm.
      #expect(layer.spectralNorm.scalar <= largest * (1 + 1e-14))
      #expect(abs(layer.spectralNorm.scalar / largest - 1) < 0.05)
      layer.updateSpectralVectors(iterations: 500)
      #expect(abs(layer.spectralNorm.scalar / largest - 1) < 1e-12)
    }
  }

  @Test("Where u and v have converged, the gradient is the full one")
  func convergedGradient() {
    var layer = layer()
    layer.updateSpectralVectors(iterations: 300)
    let slope = gradient(at: layer) { weighed($0(x)) }.dense.weight.scalars
    for index in 0..<12 {
      let h = 1e-5
      let values = [h, -h].map { step in
        var moved = layer
        let basis = Tensor((0..<12).map { $0 == index ? step : 0 }, shape: [3, 4])
        moved.dense.weight = moved.dense.weight + basis
        moved.updateSpectralVectors(iterations: 300)
        return weighed(moved(x)).scalar
      }
      #expect(abs((values[0] - values[1]) / (2 * h) - slope[index]) < 1e-8)
    }
  }

  @Test("Vectors are state: no leaves, changed by updateState only, constant inside a gradient")
  func state() {
    let layer = layer()
    #expect(layer.tensorPaths == ["weight", "bias"])
    var updated = layer
    updated.updateState()
    #expect(!updated.leftVector.isBitwiseEqual(to: layer.leftVector))
    #expect(updated.dense.weight.isBitwiseEqual(to: layer.dense.weight))
    let outside = gradient(at: updated) { weighed($0(x)) }
    let inside = gradient(at: layer) { layer in
      var layer = layer
      layer.updateState()
      return weighed(layer(x))
    }
    expectEqual(inside, outside)
  }

  @Test("A model converted to another scalar type keeps working")
  func conversion() {
    let double = layer()
    var single = double.mapTensors { $0.cast(to: .float32) }
    #expect(single(x.cast(to: .float32)).scalarType == .float32)
    expectClose(single(x.cast(to: .float32)), double(x).scalars, tolerance: 1e-6)
    single.updateState()
    #expect(single.leftVector.scalarType == .float32)
    #expect(single.rightVector.scalarType == .float32)
  }

  @Test("Refuses a construction without iterations")
  func refusal() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var generator = PhiloxGenerator(seed: 1)
      let dense = Dense(inputSize: 2, outputSize: 2, using: &generator)
      _ = SpectralNormalization(dense, iterations: 0, using: &generator)
    }
    expectMessage(result, "SpectralNormalization: expected at least one power iteration, found 0")
  }
}
