import Autodiff
import GradientCheck
import Testing
import TestSupport

/// Numbers are from mpmath 1.3 at 50 digits.
@Suite("Softmax and its logarithm")
struct SoftmaxTests {
  private let third = [0.090030573170380458, 0.24472847105479765, 0.66524095577482189]

  @Test("What a certain outcome leaves to the others keeps its digits")
  func tails() {
    #expect(agree(Tensor([0, -40]).logSumExp().scalars, [4.248354255291589e-18], to: 1e-14))
    #expect(agree(Tensor([50, 0]).logSoftmax()[0].scalars, [-1.9287498479639178e-22], to: 1e-14))
    #expect(agree(Tensor([0, -700]).logSumExp().scalars, [9.8596765437597709e-305], to: 1e-14))
    let x = Tensor([40, 0, -3])
    #expect(agree(x.logSoftmax().scalars, [-4.459867359050697e-18, -40, -43], to: 1e-14))
    #expect(
      agree(x.softmax().scalars, [1, 4.248354255291589e-18, 2.1151310375910805e-19], to: 1e-14))
    let single = Tensor([0, -20]).cast(to: .float32)
    #expect(agree(single.logSumExp().scalars, [2.0611536e-9], to: 1e-6))
    #expect(
      agree(
        Tensor([0, 40]).reshaped(to: [2, 1]).logSoftmax(alongAxis: 0)[1].scalars,
        [-4.248354255291589e-18], to: 1e-14))
  }

  @Test("Derivatives keep them too, in every mode")
  func derivativesInTheTails() {
    let x = Tensor([40, 0, -3])
    let p1 = 4.248354255291589e-18
    #expect(
      agree(
        gradient(at: x) { $0.logSoftmax()[0] }.scalars,
        [4.459867359050697e-18, -p1, -2.1151310375910805e-19], to: 1e-14))
    let (_, pullback) = vjp(at: x) { $0.logSoftmax() }
    #expect(
      agree(
        pullback(Tensor([1, 0x1p-60, 0])).scalars,
        [3.5925056210622935e-18, -3.3809925173031854e-18, -2.1151310375910805e-19], to: 1e-14))
    #expect(
      agree(
        jvp(at: x, along: Tensor([1, 0, 0])) { $0.logSoftmax()[0] }.tangent.scalars,
        [4.459867359050697e-18], to: 1e-14))
    let v = Tensor([1, -2, 0.5])
    let hessian = [1.2850819317754321e-17, -1.2745062765874767e-17, -1.0575655187955402e-19]
    let value = { (x: Tensor) in x.logSumExp() }
    #expect(agree(hvp(at: x, along: v, of: value).scalars, hessian, to: 1e-14))
    #expect(agree(hvp(at: x, along: v) { -$0.logSoftmax()[0] }.scalars, hessian, to: 1e-14))
    #expect(agree(jvp(at: x, along: v) { $0.softmax() }.tangent.scalars, hessian, to: 1e-14))
    #expect(agree(gradient(at: x) { ($0.softmax() * v).sum() }.scalars, hessian, to: 1e-14))
    #expect(
      agree(
        gradient(at: x) { jvp(at: $0, along: v, of: value).tangent }.scalars, hessian, to: 1e-14))
    #expect(
      agree(gradient(at: x) { (gradient(at: $0, of: value) * v).sum() }.scalars, hessian, to: 1e-14)
    )
  }

  @Test("A common offset changes nothing, of the arguments or of the tangents")
  func offsets() {
    for offset in [0.0, 1e4, 1e6] {
      let x = (Tensor([0, 1, 2]) + offset).cast(to: .float32)
      #expect(agree(x.softmax().scalars, third, to: 1e-6))
      #expect(agree(exp(x.logSoftmax()).scalars, third, to: 1e-6))
      #expect(agree(gradient(at: x) { $0.logSumExp() }.scalars, third, to: 1e-6))
    }
    for offset in [1e8, 1e15, -1e15] {
      let x = Tensor([0, 1, 2]) + offset
      #expect(agree(x.softmax().scalars, third, to: 1e-14))
      #expect(agree(exp(x.logSoftmax()).scalars, third, to: 1e-14))
      #expect(agree(gradient(at: x) { $0.logSumExp() }.scalars, third, to: 1e-14))
    }
    let x = Tensor([0.25, -0.5, 0.125])
    let v = Tensor([100_000, 100_001, 100_003])
    let f = { (x: Tensor) in x.logSumExp() }
    #expect(
      agree(
        hvp(at: x, along: v, of: f).scalars,
        [-0.56260458171595338, -0.065163679179117647, 0.62776826089507102], to: 1e-14))
    let expected = [-0.026708603553933521, -0.34353551698988105, 0.37024412054381457]
    let second = { (x: Tensor) in (hvp(at: x, along: v, of: f) * v).sum() }
    let forward = { (x: Tensor) in
      jvp(at: x, along: v) { jvp(at: $0, along: v, of: f).tangent }.tangent
    }
    let reverse = { (x: Tensor) in
      (gradient(at: x) { (gradient(at: $0, of: f) * v).sum() } * v).sum()
    }
    for function in [second, forward, reverse] {
      #expect(agree(gradient(at: x, of: function).scalars, expected, to: 1e-9))
    }
    #expect(
      agree(
        hvp(at: x, along: v) { (gradient(at: $0, of: f) * v).sum() }.scalars, expected, to: 1e-9)
    )
  }

  @Test("Impossible terms may be summed and differentiated")
  func infinities() {
    let never = Tensor([-.infinity, -.infinity])
    let chain = { (x: Tensor) in
      Tensor.stacked([(never + x).logSumExp(), x]).logSumExp()
    }
    #expect(chain(Tensor(0.5)).scalar == 0.5)
    #expect(gradient(at: Tensor(0.5), of: chain).scalar == 1)
    #expect(jvp(at: Tensor(0.5), along: Tensor(1), of: chain).tangent.scalar == 1)
    #expect(hvp(at: Tensor(0.5), along: Tensor(1), of: chain).scalar == 0)
    // One among them, at both ends.
    #expect(gradient(at: Tensor([.infinity, 0])) { $0.logSumExp() }.scalars == [1, 0])
    #expect(
      hvp(at: Tensor([.infinity, 0]), along: Tensor([1, 1])) { $0.logSumExp() }.scalars == [0, 0])
    #expect(gradient(at: Tensor([-.infinity, 2])) { $0.logSumExp() }.scalars == [0, 1])
    #expect(gradient(at: never) { $0.logSumExp() }.scalars == [0.5, 0.5])
    #expect(Tensor([-.infinity, -.infinity]).logSumExp().scalar == -.infinity)
    #expect(Tensor([.infinity, -.infinity, 1]).softmax().scalars == [1, 0, 0])
    #expect(Tensor([.infinity, 1]).logSoftmax().scalars == [0, -.infinity])
    let masked = Tensor(rows: [[-.infinity, 0, 0], [.infinity, 0, 1], [1, 2, .nan]])
    #expect(masked.logSumExp(alongAxis: 1).scalars[1] == .infinity)
    #expect(masked.logSumExp(alongAxis: 1).scalars[2].isNaN)
    #expect(agree(masked.softmax(alongAxis: 1)[0].scalars, [0, 0.5, 0.5], to: 1e-14))
    #expect(
      gradient(at: masked[0]) { ($0.softmax() * Tensor([1, 2, 4])).sum() }.scalars == [
        0, -0.5, 0.5,
      ])
    // No distribution is a limit of these.
    #expect(never.softmax().scalars.allSatisfy { $0.isNaN })
    #expect(Tensor([-.infinity]).logSoftmax().scalar.isNaN)
    #expect(Tensor([-.infinity]).softmax().scalar.isNaN)
    #expect(Tensor([.nan]).softmax().scalar.isNaN && Tensor([.nan]).logSumExp().scalar.isNaN)
    #expect(Tensor([.infinity, .infinity]).softmax().scalars.allSatisfy { $0.isNaN })
  }

  @Test(
    "Derivatives agree with finite differences over any axes",
    arguments: [nil, [0], [1], [-1], [0, 1], [0, 2], [1, 2], []] as [[Int]?])
  func axes(_ axes: [Int]?) throws {
    let x = PrimitiveCatalogue.values([2, 3, 2])
    try requireGradients(at: x) { $0.logSumExp(alongAxes: axes) }
    try requireGradients(at: x) { $0.norm(alongAxes: axes, keepingDimensions: true) }
    let plain = log(exp(x).sum(alongAxes: axes, keepingDimensions: true))
    #expect(isClose(x.logSumExp(alongAxes: axes, keepingDimensions: true), plain))
  }

  @Test("Ties, one element and none")
  func degenerate() throws {
    try requireGradients(at: Tensor(rows: [[1, 1, 1], [2, 2, 0]])) {
      $0.softmax(alongAxis: 1) + $0.logSoftmax(alongAxis: 0)
    }
    #expect(Tensor([3]).softmax().scalars == [1])
    #expect(Tensor([3]).logSumExp().scalar == 3)
    #expect(hvp(at: Tensor([3]), along: Tensor([1])) { $0.logSumExp() }.scalars == [0])
    #expect(Tensor.zeros([0, 3]).softmax().shape == [0, 3])
    #expect(Tensor.zeros([0, 3]).logSumExp(alongAxis: 1).shape == [0])
  }

  @Test("Refuses to sum nothing")
  func refusesNothing() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor.zeros([2, 0]).logSumExp(alongAxis: 1)
    }
    expectMessage(result, "logSumExp: no elements to sum along axis 1 of shape [2, 0]")
  }
}
