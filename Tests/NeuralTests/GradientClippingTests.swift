import Autodiff
import Neural
import TestSupport
import Testing

@Suite("Gradient clipping")
struct GradientClippingTests {
  private let tree = [Tensor([3, 0]), Tensor([0, 4], shape: [2, 1]), Tensor(indices: [7, 9])]

  @Test("The global norm is over all floating-point leaves")
  func norm() {
    #expect(tree.globalNorm == 5)
    #expect(Tensor([3, 4]).globalNorm == 5)
    #expect([Tensor]().globalNorm == 0)
    #expect([Tensor.zeros([2]), Tensor.zeros([0])].globalNorm == 0)
  }

  @Test("Clipping scales all leaves alike, to the limit")
  func clipping() {
    let (clipped, norm) = tree.clipped(toNorm: 2.5)
    #expect(norm == 5)
    #expect(clipped.map(\.scalars) == [[1.5, 0], [0, 2], [7, 9]])
    #expect(clipped[1].shape == [2, 1] && clipped[2].scalarType == .int32)
  }

  @Test("Within the limit the bits are those of the gradient")
  func within() {
    let (clipped, norm) = tree.clipped(toNorm: 5)
    #expect(norm == 5)
    expectEqual(clipped, tree)
  }

  @Test("No square overflows or vanishes, in either scalar type")
  func extremes() {
    expectClose(Tensor([Tensor([3e300]), Tensor([4e300])].globalNorm / 1e300), [5])
    expectClose(Tensor([Tensor([3e-300]), Tensor([4e-300])].globalNorm / 1e-300), [5])
    let single = [Tensor([3e30]).cast(to: .float32), Tensor([4e30]).cast(to: .float32)]
    expectClose(Tensor(single.globalNorm / 1e30), [5], tolerance: 1e-6)
    let (clipped, _) = single.clipped(toNorm: 1)
    #expect(clipped.allSatisfy { $0.scalarType == .float32 })
    expectClose(Tensor(clipped.globalNorm), [1], tolerance: 1e-6)
  }

  @Test("A gradient that is not finite says so by its norm, and comes back unchanged")
  func nonFinite() {
    let infinite = [Tensor([1, .infinity]), Tensor([2])]
    let (unclipped, norm) = infinite.clipped(toNorm: 1)
    #expect(norm == .infinity)
    expectEqual(unclipped, infinite)
    for nan in [[Tensor([1]), Tensor([.nan])], [Tensor([.nan]), Tensor([1])]] {
      #expect(nan.globalNorm.isNaN)
      #expect(nan.clipped(toNorm: 1).norm.isNaN)
      expectEqual(nan.clipped(toNorm: 1).clipped, nan)
    }
    #expect([Tensor([.nan]), Tensor([.infinity])].clipped(toNorm: 1).norm.isFinite == false)
  }

  @Test("Refuses a limit that is not positive")
  func refusal() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor([1, 2]).clipped(toNorm: 0)
    }
    expectMessage(result, "clipped: expected a limit above 0, found 0.0")
  }
}
