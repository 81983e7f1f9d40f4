import Autodiff
import GradientCheck
import Neural
import TestSupport
import Testing

@Suite("BatchNorm")
struct BatchNormTests {
  private let x = Tensor(rows: [
    [0.5, -1, 2], [1, 1.5, -0.75], [-2, 0.1, 0.2], [0.3, 0.7, -1.1],
  ])
  private let layer: BatchNorm = {
    var layer = BatchNorm(featureCount: 3)
    layer.weight = Tensor([1, 0.5, -2])
    layer.bias = Tensor([0.1, -0.2, 0.3])
    return layer
  }()

  private func pass() -> TrainingPass {
    var generator = PhiloxGenerator(seed: 1)
    return TrainingPass(using: &generator)
  }

  /// PyTorch 2.15 in float64, nn.BatchNorm1d(3) with these parameters and inputs.
  private let reference = [
    0.576461102163448, -0.9263638733997558, -2.8814535275404833, 1.0096075586756736,
    0.4441340009394061, 1.6931855316680546, -1.5892711803976796, -0.32334480869052457,
    0.11285567485055974, 0.40320251955855785, 0.005574681150874259, 2.275412321021869,
  ]

  @Test("Two training steps and evaluation agree with PyTorch: values and running statistics")
  func steps() {
    var layer = layer
    var pass = pass()
    expectClose(layer(x, &pass), reference, tolerance: 1e-14)
    layer.adopt(pass)
    expectClose(layer.runningMean, [-0.005, 0.0325, 0.00875], tolerance: 1e-15)
    expectClose(
      layer.runningVariance, [1.0776666666666668, 1.0109166666666667, 1.0927291666666668],
      tolerance: 1e-15)
    pass = self.pass()
    _ = layer(2 * x + 1, &pass)
    layer.adopt(pass)
    expectClose(layer.runningMean, [0.0855, 0.19425, 0.125375], tolerance: 1e-15)
    expectClose(
      layer.runningVariance, [1.6805666666666668, 1.3534916666666668, 1.754372916666667],
      tolerance: 1e-15)
    expectClose(
      layer(x),
      [
        0.41973882169503646, -0.7132581530859818, -2.530624134749671, 0.8054310070931504,
        0.36117800577100334, 1.621788412059208, -1.5087221052955333, -0.24050624318890834,
        0.18731862316159537, 0.2654619475357909, 0.017358434936768082, 2.1502772816530658,
      ])
  }

  @Test("Gradients of Σ yᵢ (i/4 − 1) through the batch statistics agree with PyTorch")
  func gradients() {
    let weights = Tensor((0..<12).map { Double($0) / 4 - 1 }, shape: [4, 3])
    var pass = pass()
    let (dLayer, dx) = gradient(at: layer, x) { layer, x in (layer(x, &pass) * weights).sum() }
    expectClose(
      dx,
      [
        -0.8539007915481489, -0.3138486837748546, 0.14849741813103806, -0.09447316532130291,
        -0.47416226426134805, 1.3783070370036592, -0.10300112930401092, 0.25700634600181604,
        -0.725164172068528, 1.0513750861734628, 0.5310046020343866, -0.8016402830661696,
      ])
    expectClose(
      dLayer.weight, [-1.169495432583009, 1.5212526405164697, -2.6044251916630423])
    expectClose(dLayer.bias, [0.5, 1.5, 2.5])
    // Collected inside the gradient, the statistics are those of a plain pass.
    var (inside, outside, plain) = (layer, layer, self.pass())
    inside.adopt(pass)
    _ = layer(x, &plain)
    outside.adopt(plain)
    expectEqual(inside.state, outside.state)
  }

  @Test("Derivatives of both modes agree with differences to second order")
  func derivatives() throws {
    let start = pass()
    try requireGradients(at: layer, x) { layer, x in
      var pass = start
      return weighed(layer(x, &pass))
    }
    try requireGradients(at: layer, x) { layer, x in weighed(layer(x)) }
  }

  @Test("Images are normalised over batch, height and width")
  func images() {
    let images = x.reshaped(to: [2, 1, 2, 3])
    var pass = pass()
    let y = layer(images, &pass)
    #expect(y.shape == images.shape)
    expectClose(y, reference, tolerance: 1e-14)
  }

  @Test("Statistics are state, not leaves, and a float32 layer keeps its type")
  func leaves() {
    #expect(layer.tensorPaths == ["weight", "bias"])
    #expect(layer.state.tensorPaths == ["runningMean", "runningVariance"])
    var single = BatchNorm(featureCount: 3, scalarType: .float32)
    var pass = pass()
    let y = single(x.cast(to: .float32), &pass)
    single.adopt(pass)
    #expect(y.scalarType == .float32)
    #expect(single.state.tensors.allSatisfy { $0.scalarType == .float32 })
    // A model converted leaf by leaf keeps its state in the old type.
    let converted = layer.mapTensors { $0.cast(to: .float32) }
    expectClose(converted(x.cast(to: .float32)), layer(x).scalars, tolerance: 1e-6)
  }

  @Test("Refuses other features, one row in training, and a momentum outside [0, 1]")
  func refusals() async {
    let features = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = BatchNorm(featureCount: 3)(Tensor.ones([2, 4]))
    }
    expectMessage(features, "BatchNorm: a weight [3] takes inputs […, 3], found shape [2, 4]")
    let row = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var generator = PhiloxGenerator(seed: 1)
      var pass = TrainingPass(using: &generator)
      _ = BatchNorm(featureCount: 3)(Tensor.ones([1, 3]), &pass)
    }
    expectMessage(row, "BatchNorm: training needs at least two values per feature, found shape")
    let momentum = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = BatchNorm(featureCount: 3, momentum: 1.5)
    }
    expectMessage(momentum, "BatchNorm: expected a momentum in [0, 1], found 1.5")
  }
}
