import Autodiff
import GradientCheck
import Testing
import TestSupport

@Suite("Sums and moments")
struct ReductionsTests {
  @Test("The standard deviation and its derivatives", arguments: [nil, [0], [1]] as [[Int]?])
  func standardDeviation(_ axes: [Int]?) throws {
    #expect(isClose(Tensor([1, 2, 3]).standardDeviation().scalar, 0.81649658092772603))
    let x = PrimitiveCatalogue.values([3, 4])
    #expect(isClose(x.standardDeviation(alongAxes: axes), sqrt(x.variance(alongAxes: axes))))
    try requireGradients(at: x) { $0.standardDeviation(alongAxes: axes, keepingDimensions: true) }
    try requireGradients(at: x) { $0.variance(alongAxes: axes) }
  }

  @Test(
    "Of equal elements it is 0 with derivative 0, at every order",
    arguments: [2, 0.1, 1e200, 0x1p-1063], [1, 3, 1000])
  func constantData(_ value: Double, _ count: Int) {
    let x = Tensor(repeating: value, shape: [count])
    let v = Tensor.range(count) - 0.7
    #expect(x.variance().scalar == 0 && x.standardDeviation().scalar == 0)
    let f = { (x: Tensor) in x.standardDeviation() }
    #expect(gradient(at: x, of: f).scalars.allSatisfy { $0 == 0 })
    #expect(jvp(at: x, along: v, of: f).tangent.scalar == 0)
    #expect(hvp(at: x, along: v, of: f).scalars.allSatisfy { $0 == 0 })
    let third = gradient(at: x) { (hvp(at: $0, along: v, of: f) * v).sum() }
    #expect(third.scalars.allSatisfy { $0 == 0 })
  }

  @Test("A common offset is not rounded into the moments")
  func offsets() {
    for offset in [1e6, -4e6] {
      let x = (Tensor([0, 1, 2]) + offset).cast(to: .float32)
      #expect(abs(x.variance().scalar - 2.0 / 3) < 1e-6)
      #expect(abs(x.standardDeviation().scalar - 0.81649658) < 1e-6)
    }
    #expect(isClose((Tensor([0, 1, 2]) + 1e15).variance().scalar, 2.0 / 3))
    // Squares out of range.
    #expect(isClose(Tensor([1e-200, 3e-200]).standardDeviation().scalar / 1e-200, 1))
    #expect(isClose(Tensor([1e200, 3e200]).standardDeviation().scalar / 1e200, 1))
    #expect(Tensor([]).standardDeviation().scalar.isNaN && Tensor([]).variance().scalar.isNaN)
  }

  @Test("Integers are summed exactly where the sum fits")
  func integers() {
    let top = Int(Int32.max)
    let x = Tensor(indices: [top, top, -top, 1, -top, 2], shape: [2, 3])
    #expect(x.sum().scalar == 3)
    #expect(x.sum(alongAxis: 1).scalars == [Double(top), Double(3 - top)])
    #expect(x.sum(alongAxis: 1, keepingDimension: true).shape == [2, 1])
    #expect(Tensor(indices: []).sum().scalar == 0)
    #expect(Tensor(indices: [7], shape: []).sum().scalar == 7)
    // More than a block, with partial sums that do not fit.
    let count = 200_001
    let alternating = Tensor(indices: (0..<count).map { $0 < count / 2 ? top : -top })
    #expect((alternating.sum().scalar) == Double(-top))
    let cube = Tensor(indices: Array(0..<24), shape: [2, 3, 4])
    #expect(cube.sum(alongAxes: [0, 2]).scalars == [60, 92, 124])
    #expect(cube.sum(alongAxis: 1).scalars == [12, 15, 18, 21, 48, 51, 54, 57])
  }

  @Test("An integer result that does not fit stops, and says what to do")
  func integerOverflow() async {
    let sum = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor(indices: [2_147_483_647, 2_147_483_647]).sum()
    }
    expectMessage(sum, "sum: a result is not in the range of int32", "cast(to: .float64)")
    let running = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor(indices: [2_147_483_647, 1, -5]).cumulativeSum(alongAxis: 0)
    }
    expectMessage(running, "cumulativeSum: a result is not in the range of int32")
    let scattered = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let x = Tensor(indices: [-2_147_483_648, -1])
      _ = x.scatterAdding(to: Tensor(indices: [0, 0]), length: 2, alongAxis: 0)
    }
    expectMessage(scattered, "scatterAdding: a result is not in the range of int32")
  }
}
