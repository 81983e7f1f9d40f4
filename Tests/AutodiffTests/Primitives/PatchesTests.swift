import Autodiff
import TestSupport
import Testing

@Suite("Patches")
struct PatchesTests {
  private struct Windows: Sendable, CustomTestStringConvertible {
    let kernel: Int
    let stride: Int
    let dilation: Int
    let before: Int
    let after: Int
    var testDescription: String {
      "kernel \(kernel), stride \(stride), dilation \(dilation), padding \(before) \(after)"
    }

    func axis(_ size: Int) -> PatchAxis {
      PatchAxis(
        inputSize: size, kernelSize: kernel, stride: stride, dilation: dilation, before: before,
        after: after, operation: "test")
    }
  }

  private static let windows = [
    Windows(kernel: 1, stride: 1, dilation: 1, before: 0, after: 0),
    Windows(kernel: 3, stride: 1, dilation: 1, before: 1, after: 1),
    Windows(kernel: 3, stride: 2, dilation: 1, before: 0, after: 1),
    Windows(kernel: 2, stride: 3, dilation: 2, before: 2, after: 0),
    // Whole windows in the padding, and windows that jump over the image.
    Windows(kernel: 2, stride: 1, dilation: 1, before: 4, after: 5),
    Windows(kernel: 2, stride: 1, dilation: 7, before: 5, after: 5),
    Windows(kernel: 1, stride: 4, dilation: 1, before: 0, after: 0),
  ]

  @Test("Patches are the elements of the definition, in both scalar types", arguments: windows)
  private func definition(_ windows: Windows) {
    let (vertical, horizontal) = (windows.axis(5), PatchAxis.one(4))
    for type in [ScalarType.float32, .float64] {
      let x = Tensor.range(2 * 5 * 4 * 3).reshaped(to: [2, 5, 4, 3]).cast(to: type)
      let tall = x.patches(vertical, horizontal)
      let wide = x.permuted(to: [0, 2, 1, 3]).patches(horizontal, vertical)
      #expect(tall.shape == [2, vertical.outputSize, 4, windows.kernel, 1, 3])
      // Both axes follow the same definition.
      #expect(wide.permuted(to: [0, 2, 1, 4, 3, 5]).isBitwiseEqual(to: tall))
      var expected: [Double] = []
      for image in 0..<2 {
        for window in 0..<vertical.outputSize {
          for column in 0..<4 {
            for k in 0..<windows.kernel {
              let y = window * windows.stride - windows.before + k * windows.dilation
              for channel in 0..<3 {
                let isInside = (0..<5).contains(y)
                expected.append(
                  isInside ? Double(((image * 5 + y) * 4 + column) * 3 + channel) : 0)
              }
            }
          }
        }
      }
      #expect(tall.scalars == expected)
    }
  }

  @Test("Accumulation counts how many windows read each element", arguments: windows)
  private func counts(_ windows: Windows) {
    let (vertical, horizontal) = (windows.axis(5), windows.axis(4))
    let x = Tensor.ones([1, 5, 4, 1])
    let counts = apply(AccumulatePatches(vertical, horizontal), x.patches(vertical, horizontal))
    func readers(_ position: Int, _ axis: PatchAxis) -> Double {
      var count = 0.0
      for window in 0..<axis.outputSize {
        for k in 0..<windows.kernel {
          let y = window * windows.stride - windows.before + k * windows.dilation
          if y == position { count += 1 }
        }
      }
      return count
    }
    let expected = (0..<5).flatMap { y in
      (0..<4).map { x in readers(y, vertical) * readers(x, horizontal) }
    }
    #expect(counts.scalars == expected)
  }

  @Test("Large images have the same bits on one thread and on two")
  func threads() {
    var generator = PhiloxGenerator(seed: 3)
    let x = Tensor.uniform([3, 40, 50, 8], .float32, using: &generator)
    let (vertical, horizontal) = (Self.windows[1].axis(40), Self.windows[1].axis(50))
    let results = [1, 2].map { threads in
      withThreadCount(threads) {
        let patches = x.patches(vertical, horizontal)
        return (patches, apply(AccumulatePatches(vertical, horizontal), patches * patches))
      }
    }
    #expect(results[0].0.isBitwiseEqual(to: results[1].0))
    #expect(results[0].1.isBitwiseEqual(to: results[1].1))
  }

  private func expectMessage(_ result: ExitTest.Result?, _ part: String) {
    let text = errorText(result)
    #expect(text.contains(part), "“\(part)” is not in: \(text)")
  }

  @Test("Refuses windows that do not fit, and other shapes")
  func refusals() async {
    let fit = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = PatchAxis(inputSize: 3, kernelSize: 3, dilation: 2, operation: "Convolution2D")
    }
    expectMessage(fit, "Convolution2D: a kernel of 3 elements with dilation 2 spans 5")
    let stride = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = PatchAxis(inputSize: 3, kernelSize: 3, stride: 0, operation: "Convolution2D")
    }
    expectMessage(stride, "Convolution2D: kernel, stride and dilation must be positive")
    let shape = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor.ones([1, 3, 4, 1]).patches(.one(4), .one(4))
    }
    expectMessage(shape, "patches: expected images [n, 4, 4, channels], found shape [1, 3, 4, 1]")
  }
}

extension PatchAxis {
  /// Windows of one element: the identity.
  fileprivate static func one(_ size: Int) -> PatchAxis {
    PatchAxis(inputSize: size, kernelSize: 1, operation: "test")
  }
}
