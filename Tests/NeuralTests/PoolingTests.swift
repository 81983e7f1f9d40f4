import Autodiff
import GradientCheck
import Neural
import TestSupport
import Testing

@Suite("Pooling")
struct PoolingTests {
  private let x = Tensor(
    (0..<60).map { (i: Int) -> Double in Double((i * 7 + 3) % 11 - 5) / 4 }, shape: [1, 5, 6, 2])
  /// No two elements are equal, so the maximum is smooth.
  private let distinct = Tensor(
    (0..<60).map { Double(($0 * 37) % 61) / 30 - 1 }, shape: [1, 5, 6, 2])

  @Test("Overlapping windows with padding agree with PyTorch")
  func reference() {
    // PyTorch 2.15 in float64: max_pool2d and avg_pool2d (count_include_pad=False), 3, 2, 1.
    let largest = Pooling2D(.maximum, kernel: 3, stride: 2, padding: .uniform(1))(x)
    #expect(largest.shape == [1, 3, 3, 2])
    #expect(
      largest.scalars == [
        1.25, 1.25, 1.0, 1.0, 0.75, 1.25, 1.25, 1.0, 1.0, 1.0, 1.25, 1.25, 1.0, 1.0, 0.75, 0.75,
        1.25, 1.25,
      ])
    expectClose(
      Pooling2D(.average, kernel: 3, stride: 2, padding: .uniform(1))(x),
      [
        0.0625, 0.4375, 0.041666666666666664, -0.041666666666666664, -0.2916666666666667,
        0.08333333333333333, 0.16666666666666666, 0.08333333333333333, -0.08333333333333333,
        -0.16666666666666666, -0.1111111111111111, 0.1111111111111111, -0.1875, 0.1875,
        -0.20833333333333334, -0.2916666666666667, -0.08333333333333333, 0.2916666666666667,
      ], tolerance: 1e-15)
  }

  @Test("Windows touch by default, and what does not fill one is left out")
  func defaults() {
    let image = Tensor.range(20).reshaped(to: [1, 4, 5, 1])
    let largest = Pooling2D(.maximum, kernel: 2)(image)
    #expect(largest.shape == [1, 2, 2, 1])
    #expect(largest.scalars == [6, 8, 16, 18])
    #expect(Pooling2D(.average, kernel: 2)(image).scalars == [3, 5, 13, 15])
    // ⌈4/2⌉ × ⌈5/3⌉, with a column of padding at the right.
    let wide = Size2D(height: 2, width: 3)
    #expect(Pooling2D(.maximum, kernel: wide, padding: .same)(image).scalars == [7, 9, 17, 19])
    #expect(
      Pooling2D(.average, kernel: wide, padding: .same)(image).scalars == [3.5, 6, 13.5, 16])
  }

  @Test("Padding is never the largest element, and ties share the derivative")
  func maximum() {
    let negative = -1 - square(distinct)
    #expect(Pooling2D(.maximum, kernel: 3, stride: 1, padding: .same)(negative).max().scalar <= -1)
    let ties = gradient(at: Tensor.ones([1, 2, 2, 1])) { Pooling2D(.maximum, kernel: 2)($0).sum() }
    #expect(ties.scalars == [0.25, 0.25, 0.25, 0.25])
  }

  @Test("Derivatives agree with differences to second order")
  func derivatives() throws {
    let layers: [any Layer] = [
      Pooling2D(.maximum, kernel: 2),
      Pooling2D(.maximum, kernel: 3, stride: 2, padding: .uniform(1)),
      Pooling2D(.average, kernel: 2), Pooling2D(.average, kernel: 3, stride: 2, padding: .same),
      GlobalAveragePooling(),
    ]
    for layer in layers {
      try requireGradients(at: distinct, named: "\(layer)") { x in weighed(layer(x)) }
    }
  }

  @Test("The global average is the mean of each channel")
  func global() {
    expectClose(
      GlobalAveragePooling()(x), x.reshaped(to: [30, 2]).mean(alongAxis: 0).scalars,
      tolerance: 1e-15)
    #expect(GlobalAveragePooling()(Tensor.ones([4, 7, 3])).shape == [4, 3])
  }

  @Test("Flattening keeps rows apart, and knows the size of an empty batch")
  func flattening() throws {
    #expect(Flatten()(Tensor.range(12).reshaped(to: [2, 3, 2])).shape == [2, 6])
    #expect(
      Flatten()(Tensor.range(12).reshaped(to: [2, 3, 2])).scalars == (0..<12).map(Double.init))
    #expect(Flatten()(Tensor.ones([0, 3, 2])).shape == [0, 6])
    #expect(Flatten()(Tensor.ones([3])).shape == [3, 1])
    try requireGradients(at: x) { weighed(Flatten()($0)) }
  }

  @Test("Refuses windows of padding only, and inputs without image axes")
  func refusals() async {
    let padding = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Pooling2D(.maximum, kernel: 2, padding: .uniform(2))(Tensor.ones([1, 4, 4, 1]))
    }
    expectMessage(padding, "Pooling2D: with a kernel of 2×2", "contain padding only")
    let rank = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Pooling2D(.average, kernel: 2)(Tensor.ones([4, 4, 1]))
    }
    expectMessage(
      rank, "Pooling2D: expected images [n, height, width, channels], found shape [4, 4, 1]")
    let global = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = GlobalAveragePooling()(Tensor.ones([4, 4]))
    }
    expectMessage(global, "GlobalAveragePooling: expected inputs [n, …, channels]")
    let scalar = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Flatten()(Tensor(1))
    }
    expectMessage(scalar, "Flatten: expected inputs [n, …], found a scalar")
  }
}
