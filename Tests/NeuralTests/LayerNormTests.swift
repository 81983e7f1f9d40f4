import Autodiff
import Neural
import TestSupport
import Testing

@Suite("LayerNorm")
struct LayerNormTests {
  private let x = Tensor(rows: [[0.5, -1, 2, 0.25], [1, 1.5, -0.75, 3], [-2, 0.1, 0.2, 0.3]])
  private let layer: LayerNorm = {
    var layer = LayerNorm(featureCount: 4)
    layer.weight = Tensor([1, 0.5, -2, 1.5])
    layer.bias = Tensor([0.1, -0.2, 0.3, 0])
    return layer
  }()

  /// PyTorch 2.15 in float64, nn.LayerNorm(4) with these parameters and inputs.
  private let reference = [
    0.15862078032576704, -0.8741389737463201, -2.6310390162883484, -0.2637935114659513,
    -0.04002761791238482, -0.08331031840634598, 3.1939041035226197, 2.03040045972958,
    -1.627289479973745, 0.03553947454187431, -0.851526319982497, 1.0206710563481218,
  ]

  @Test("Values agree with PyTorch")
  func values() {
    expectClose(layer(x), reference, tolerance: 1e-14)
    let single = layer.mapTensors { $0.cast(to: .float32) }
    expectClose(single(x.cast(to: .float32)), reference, tolerance: 1e-6)
    #expect(layer(x.reshaped(to: [3, 1, 4])).shape == [3, 1, 4])
  }

  @Test("Gradients of Σ yᵢ (i/4 − 1) agree with PyTorch")
  func gradients() {
    let weights = Tensor((0..<12).map { Double($0) / 4 - 1 }, shape: [3, 4])
    let (dLayer, dx) = gradient(at: layer, x) { layer, x in (layer(x) * weights).sum() }
    expectClose(
      dx,
      [
        -0.7892651123616377, 0.4496219259360431, 0.4339206230228941, -0.09427743659729954,
        0.03172695327157671, -0.08399550387760224, 0.016672699556548376, 0.035595851049477156,
        0.09859638884848665, 0.4965311303060931, -3.2606286325974034, 2.6655011134428235,
      ])
    expectClose(
      dLayer.weight,
      [-1.7859102602995123, 1.658401987770993, -0.5925910399658696, 2.249948714181924])
    expectClose(dLayer.bias, [0, 0.75, 1.5, 2.25])
  }

  @Test("Derivatives agree with differences")
  func derivatives() {
    expectDerivatives(at: layer) { weighed($0(x)) }
    expectDerivatives(at: x) { weighed(layer($0)) }
  }

  @Test("Initially standardises each row and no more")
  func initial() {
    let y = LayerNorm(featureCount: 4, epsilon: 0)(x)
    expectClose(y.mean(alongAxis: -1), [0, 0, 0])
    expectClose(square(y).mean(alongAxis: -1), [1, 1, 1])
    #expect(LayerNorm(featureCount: 4, scalarType: .float32).weight.scalarType == .float32)
  }

  @Test("A constant row maps to the bias")
  func constantRow() {
    expectClose(layer(Tensor.ones([1, 4])), [0.1, -0.2, 0.3, 0])
  }

  @Test("Leaves are named, and inputs of another size refused")
  func leaves() async {
    #expect(layer.tensorPaths == ["weight", "bias"])
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = LayerNorm(featureCount: 4)(Tensor.ones([2, 3]))
    }
    expectMessage(result, "LayerNorm: a weight [4] takes inputs […, 4], found shape [2, 3]")
  }
}
