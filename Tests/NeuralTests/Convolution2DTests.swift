import Autodiff
import GradientCheck
import Neural
import TestSupport
import Testing

@Suite("Convolution2D")
struct Convolution2DTests {
  /// Quarters from −1.25 to 1.25 in an order without symmetry, exact in binary.
  private static func pattern(_ shape: Shape, _ a: Int, _ b: Int) -> Tensor {
    Tensor((0..<shape.elementCount).map { Double(($0 * a + b) % 11 - 5) / 4 }, shape: shape)
  }

  private let x = pattern([1, 5, 6, 2], 7, 3)
  private let layer = Convolution2D(
    weight: pattern([3, 2, 2, 2], 5, 1), bias: Tensor([0.5, -0.25]), stride: 2,
    padding: .uniform(1), dilation: 2)

  @Test("Stride 2, padding 1 and dilation 2 agree with PyTorch exactly: values and gradients")
  func reference() {
    // PyTorch 2.15 in float64, conv2d with axes moved to and fro.
    let y = layer(x)
    #expect(y.shape == [1, 2, 3, 2])
    #expect(
      y.scalars == [
        1.3125, 1.6875, 1.5625, -3.1875, 1.4375, 0.6875, 0.5625, -1.8125, -0.125, 2.6875, 0.0625,
        -1.375,
      ])
    let weights = Self.pattern([1, 2, 3, 2], 3, 2)
    let (dLayer, dx) = gradient(at: layer, x) { layer, x in (layer(x) * weights).sum() }
    var expected = [Double](repeating: 0, count: 60)
    for (index, value) in [
      14: 3.1875, 15: 3.4375, 18: -0.6875, 19: -4.125, 22: 1.3125, 23: 1.9375, 38: 0.0625,
      39: -2.4375, 43: 1.375, 46: 1.75, 47: -0.375,
    ] { expected[index] = value }
    #expect(dx.scalars == expected)
    #expect(
      dLayer.weight.scalars == [
        1.125, -0.9375, -0.5625, 0.6875, -1.5625, 1.5, 2.625, -2.0625, -2.5, 2.0625, 1.75, -2.1875,
        2.0, -1.875, -3.625, 2.4375, 0.625, -0.3125, -1.0, 1.375, -1.0625, 1.625, 1.5, -0.8125,
      ])
    #expect(dLayer.bias?.scalars == [1.5, -2.25])
  }

  /// The sum of the definition, written out.
  private func direct(
    _ x: Tensor, _ layer: Convolution2D, top: Int, left: Int, outputs: (Int, Int)
  ) -> [Double] {
    let (w, s, d) = (layer.weight.shape, layer.stride, layer.dilation)
    let (values, weights) = (x.scalars, layer.weight.scalars)
    let bias = layer.bias?.scalars ?? [Double](repeating: 0, count: w[3])
    var result: [Double] = []
    for n in 0..<x.shape[0] {
      for i in 0..<outputs.0 {
        for j in 0..<outputs.1 {
          for o in 0..<w[3] {
            var sum = bias[o]
            for k in 0..<w[0] {
              for l in 0..<w[1] {
                let row = i * s.height - top + k * d.height
                let column = j * s.width - left + l * d.width
                guard (0..<x.shape[1]).contains(row), (0..<x.shape[2]).contains(column) else {
                  continue
                }
                for c in 0..<w[2] {
                  let pixel = ((n * x.shape[1] + row) * x.shape[2] + column) * x.shape[3] + c
                  sum += values[pixel] * weights[((k * w[1] + l) * w[2] + c) * w[3] + o]
                }
              }
            }
            result.append(sum)
          }
        }
      }
    }
    return result
  }

  @Test("Values are those of the definition, in both scalar types")
  func definition() {
    var generator = PhiloxGenerator(seed: 2)
    let x = Tensor.normal([3, 7, 6, 3], using: &generator)
    let size = Size2D(height: 3, width: 2)
    // With the padding of the top left and the output size expected for 7 × 6.
    let cases: [(Size2D, Padding2D, Size2D, top: Int, left: Int, outputs: (Int, Int))] = [
      (1, .valid, 1, 0, 0, (5, 5)),
      (2, .valid, 1, 0, 0, (3, 3)),
      (1, .same, 1, 1, 0, (7, 6)),
      (2, .same, 1, 1, 0, (4, 3)),
      (Size2D(height: 3, width: 1), .same, 2, 2, 1, (3, 6)),
      (1, .explicit(top: 2, bottom: 0, left: 1, right: 3), 1, 2, 1, (7, 9)),
      (Size2D(height: 1, width: 3), .uniform(1), Size2D(height: 4, width: 1), 1, 1, (1, 3)),
    ]
    for (stride, padding, dilation, top, left, outputs) in cases {
      let layer = Convolution2D(
        inputChannels: 3, outputChannels: 4, kernel: size, stride: stride, padding: padding,
        dilation: dilation, using: &generator)
      let y = layer(x)
      #expect(y.shape == [3, outputs.0, outputs.1, 4], "\(stride) \(padding) \(dilation)")
      let expected = direct(x, layer, top: top, left: left, outputs: outputs)
      expectClose(y, expected)
      let single = layer.mapTensors { $0.cast(to: .float32) }
      expectClose(single(x.cast(to: .float32)), expected, tolerance: 1e-5)
    }
  }

  @Test("Derivatives of images and weights agree with differences to second order")
  func derivatives() throws {
    try requireGradients(at: layer, x) { layer, x in weighed(layer(x)) }
  }

  @Test("A kernel of one element is a dense layer")
  func dense() {
    var generator = PhiloxGenerator(seed: 2)
    let layer = Convolution2D(
      inputChannels: 2, outputChannels: 3, kernel: 1, bias: nil, using: &generator)
    let dense = Dense(weight: layer.weight.reshaped(to: [2, 3]))
    expectClose(layer(x), dense(x).scalars, tolerance: 1e-15)
    #expect(layer.tensorPaths == ["weight"])
    #expect(self.layer.tensorPaths == ["weight", "bias"])
    #expect(layer(Tensor.zeros([0, 5, 6, 2])).shape == [0, 5, 6, 3])
  }

  @Test("Random weights are within the bounds of PyTorch's default, and repeat with the seed")
  func initialization() {
    let layers = (0..<2).map { _ in
      var generator = PhiloxGenerator(seed: 8)
      return Convolution2D(
        inputChannels: 4, outputChannels: 50, kernel: Size2D(height: 2, width: 3),
        using: &generator)
    }
    expectEqual(layers[0], layers[1])
    let largest = abs(layers[0].weight).max().scalar
    let bound = 1 / 24.0.squareRoot()
    #expect(largest < bound && largest > 0.95 * bound)
  }

  @Test("Refuses images of other channels and ranks, kernels that do not fit, wrong tensors")
  func refusals() async {
    let channels = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Convolution2D(weight: Tensor.ones([3, 3, 2, 1]))(Tensor.ones([1, 5, 5, 3]))
    }
    expectMessage(
      channels, "Convolution2D: a weight [3, 3, 2, 1] takes images [n, height, width, 2]",
      "[1, 5, 5, 3]")
    let kernel = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Convolution2D(weight: Tensor.ones([3, 3, 2, 1]))(Tensor.ones([1, 5, 2, 2]))
    }
    expectMessage(kernel, "Convolution2D: a kernel of 3 elements", "axis of 2 elements")
    let weight = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Convolution2D(weight: Tensor.ones([3, 3]))
    }
    expectMessage(weight, "Convolution2D: expected a floating-point weight", "found [3, 3]")
    let bias = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Convolution2D(weight: Tensor.ones([1, 1, 2, 3]), bias: Tensor.ones([2]))
    }
    expectMessage(bias, "Convolution2D: a weight [1, 1, 2, 3] float64 needs a bias [3]")
  }
}
