import Autodiff
import Neural
import TestSupport
import Testing

@Suite("MLP")
struct MLPTests {
  private let x = Tensor(rows: [[0.2, -0.4], [1.5, 0.3], [-0.7, 0.9]])

  @Test("Is affine maps with activations between, in closed form")
  func closedForm() {
    var generator = PhiloxGenerator(seed: 5)
    let model = MLP(
      widths: [2, 5, 4, 1], activation: .tanh, finalActivation: .sigmoid, using: &generator)
    let p = model.tensors
    let h1 = tanh(matmul(x, p[0]) + p[1])
    let h2 = tanh(matmul(h1, p[2]) + p[3])
    expectClose(model(x), sigmoid(matmul(h2, p[4]) + p[5]).scalars)
    #expect(p.map(\.shape) == [[2, 5], [5], [5, 4], [4], [4, 1], [1]])
    #expect(
      model.tensorPaths == [
        "0.weight", "0.bias", "2.weight", "2.bias", "4.weight", "4.bias",
      ])
  }

  @Test("Layer normalisation stands where asked, in hidden layers only")
  func normalization() {
    var generator = PhiloxGenerator(seed: 5)
    for placement in MLP.LayerNormPlacement.allCases {
      let model = MLP(
        widths: [2, 5, 1], activation: .relu, layerNorm: placement, using: &generator)
      let kinds = model.layers.map { "\(type(of: $0))" }
      switch placement {
      case .none: #expect(kinds == ["Dense", "Activation", "Dense"])
      case .beforeActivation: #expect(kinds == ["Dense", "LayerNorm", "Activation", "Dense"])
      case .afterActivation: #expect(kinds == ["Dense", "Activation", "LayerNorm", "Dense"])
      }
    }
  }

  @Test("Spectral normalisation bounds every affine map and follows updateState")
  func spectral() throws {
    var generator = PhiloxGenerator(seed: 5)
    var model = MLP(
      widths: [2, 5, 1], activation: .tanh, isSpectrallyNormalized: true, using: &generator)
    #expect(model.tensors.count == 4)
    model.tensors = model.tensors.map { 3 * $0 + 0.5 }
    for _ in 0..<50 { model.updateState() }
    let layers = model.layers.compactMap { $0 as? SpectralNormalization }
    #expect(layers.count == 2)
    for layer in layers {
      let w = layer.normalizedWeight
      let largest = try symmetricEigenvalues(matmul(w, w, transposeA: true)).scalars.last
      #expect(abs(try #require(largest) - 1) < 1e-12)
    }
  }

  @Test("Derivatives agree with differences", arguments: MLP.LayerNormPlacement.allCases)
  func derivatives(_ placement: MLP.LayerNormPlacement) {
    var generator = PhiloxGenerator(seed: 6)
    let model = MLP(
      widths: [2, 4, 4, 2], activation: .softplus, layerNorm: placement,
      isSpectrallyNormalized: placement == .none, using: &generator)
    expectDerivatives(at: model, tolerance: 1e-7) { weighed($0(x)) }
    expectDerivatives(at: x, tolerance: 1e-7) { weighed(model($0)) }
  }

  @Test("The same seed gives the same bits, and float32 is float64 rounded")
  func seeds() {
    func model(_ type: ScalarType, seed: UInt64) -> MLP {
      var generator = PhiloxGenerator(seed: seed)
      return MLP(
        widths: [2, 8, 1], weight: .glorotNormal, scalarType: type, using: &generator)
    }
    for type in [ScalarType.float32, .float64] {
      expectEqual(model(type, seed: 9), model(type, seed: 9))
      #expect(!model(type, seed: 9).tensors[0].isBitwiseEqual(to: model(type, seed: 8).tensors[0]))
      #expect(model(type, seed: 9)(x.cast(to: type)).scalarType == type)
    }
    let (single, double) = (model(.float32, seed: 9), model(.float64, seed: 9))
    expectClose(single(x.cast(to: .float32)), double(x).scalars, tolerance: 1e-5)
  }

  @Test("Refuses fewer than two widths")
  func widths() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var generator = PhiloxGenerator(seed: 1)
      _ = MLP(widths: [3], using: &generator)
    }
    expectMessage(result, "MLP: expected at least two widths", "found [3]")
  }
}
