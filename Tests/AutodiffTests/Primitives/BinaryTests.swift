import Autodiff
import GradientCheck
import Testing
import TestSupport

@Suite("Functions of two tensors")
struct BinaryTests {
  @Test("x ln y and its derivatives")
  func productWithLogarithm() throws {
    // mpmath: 0.3 ln 0.7, ln 0.7 and 3/7.
    #expect(isClose(xlogy(Tensor(0.3), Tensor(0.7)).scalar, -0.10700248318161971))
    let (x, y) = gradient(at: Tensor(0.3), Tensor(0.7)) { xlogy($0, $1) }
    #expect(isClose(x.scalar, -0.35667494393873238) && isClose(y.scalar, 3.0 / 7))
    try requireGradients(at: Tensor([0.3, 2]), Tensor(rows: [[0.7, 2], [1.3, 0.1]])) {
      xlogy($0, $1)
    }
  }

  @Test("0 ln y is 0 whatever y is, with derivatives that are finite")
  func logarithmOfNothing() {
    let zero = Tensor([0, 0, 0, 0, 0])
    let y = Tensor([0, 0.5, .infinity, -1, .nan])
    let values = xlogy(zero, y).scalars
    #expect(values[..<4].allSatisfy { $0 == 0 } && values[4].isNaN)
    let (x̄, ȳ) = gradient(at: zero[0..<4], y[0..<4]) { xlogy($0, $1).sum() }
    #expect(x̄.scalars == [0, log(Tensor(0.5)).scalar, 0, 0])
    #expect(ȳ.scalars == [0, 0, 0, 0])
    #expect(xlogy(Tensor(0.5), Tensor(0)).scalar == -.infinity)
    // The entropy of outcomes one of which cannot happen: −Σ p ln p with p = softmax.
    let scores = Tensor([0.3, -0.4, -.infinity])
    let entropy = { (x: Tensor) in
      let p = x.softmax()
      return -xlogy(p, p).sum()
    }
    let slope = gradient(at: scores, of: entropy).scalars
    let kept = gradient(at: scores[0..<2], of: entropy).scalars
    #expect(isClose(slope[0], kept[0]) && isClose(slope[1], kept[1]) && slope[2] == 0)
    #expect(hvp(at: scores, along: Tensor([1, 2, 3]), of: entropy).isFinite)
  }

  @Test("The derivative of a power in its exponent at 0 and ∞")
  func exponents() {
    func slope(_ a: Double, _ b: Double) -> Double {
      gradient(at: Tensor(b)) { pow(Tensor(a), $0) }.scalar
    }
    #expect(slope(0, 2) == 0)
    #expect(slope(0, 0) == 0)
    #expect(slope(0, -1) == -.infinity)
    #expect(slope(.infinity, -2) == 0)
    #expect(slope(.infinity, 2) == .infinity)
    #expect(slope(1e-200, 3) == 0)
    #expect(isClose(slope(2, 3), 8 * 0.69314718055994531))
  }

  @Test("Integers are computed exactly or refused")
  func integers() async {
    let x = Tensor(indices: [2_147_483_646, -2_147_483_647])
    #expect((x + Tensor(indices: [1, -1])).scalars == [2_147_483_647, -2_147_483_648])
    #expect((-x).scalars == [-2_147_483_646, 2_147_483_647])
    #expect((Tensor(indices: [46_340]) * Tensor(indices: [46_340])).scalars == [2_147_395_600])
    #expect((x * 1).scalars == x.scalars && (2 - Tensor(indices: [5])).scalars == [-3])
    let sum = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor(indices: [5, 2_147_483_647]) + 1
    }
    expectMessage(sum, "+: a result is not in the range of int32", "cast(to: .float64)")
    let difference = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent])
    {
      _ = Tensor(indices: [-2_147_483_648]) - Tensor(indices: [1])
    }
    expectMessage(difference, "-: a result is not in the range of int32")
    let product = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      // On several threads.
      _ = Tensor(repeating: 65_536, shape: [300_000], .int32) * 32_768
    }
    expectMessage(product, "*: a result is not in the range of int32")
    let negative = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = -Tensor(indices: [-2_147_483_648])
    }
    expectMessage(negative, "-: a result is not in the range of int32")
  }
}
