import Autodiff
import Testing
import TestSupport

@Suite("Norm")
struct NormTests {
  @Test("A NaN or an infinity anywhere shows", arguments: [ScalarType.float32, .float64])
  func nonFinite(_ type: ScalarType) {
    #expect(Tensor([.nan]).cast(to: type).norm().scalar.isNaN)
    #expect(Tensor([1, .nan, 3]).cast(to: type).norm().scalar.isNaN)
    #expect(Tensor([1, -.infinity]).cast(to: type).norm().scalar == .infinity)
    let rows = Tensor(rows: [[3, 4], [.nan, 1], [0, 0]]).cast(to: type).norm(alongAxes: [1])
    #expect(rows.scalars[0] == 5 && rows.scalars[1].isNaN && rows.scalars[2] == 0)
    // The derivative points to what is infinite.
    let slope = gradient(at: Tensor([1, -.infinity]).cast(to: type)) { $0.norm() }
    #expect(slope.scalars == [0, -1])
    let curvature = hvp(
      at: Tensor([1, -.infinity]).cast(to: type), along: Tensor([1, 1]).cast(to: type)
    ) {
      $0.norm()
    }
    #expect(curvature.scalars == [0, 0])
  }

  @Test(
    "Squares that overflow or vanish do not", arguments: [0x1p-1073, 1e-300, 1e-160, 1e160, 1e307])
  func scales(_ scale: Double) {
    let x = Tensor(rows: [[3 * scale, 4 * scale], [0.3, 0.4]])
    let norms = x.norm(alongAxis: 1).scalars
    #expect(isClose(norms[0] / (5 * scale), 1) && isClose(norms[1], 0.5))
    let slope = gradient(at: Tensor([1, 1]) * scale) { $0.norm() }
    #expect(slope.scalars.allSatisfy { isClose($0, 0.5.squareRoot()) })
  }

  @Test("At zero the derivative is zero, elsewhere x / ‖x‖")
  func derivative() {
    #expect(gradient(at: Tensor([0, 0])) { $0.norm() }.scalars == [0, 0])
    let slope = gradient(at: Tensor([3, 4])) { $0.norm() }.scalars
    #expect(abs(slope[0] - 0.6) < 1e-15 && abs(slope[1] - 0.8) < 1e-15)
    let f = { (x: Tensor) in x.norm() }
    #expect(hvp(at: Tensor([0, 0]), along: Tensor([1, 2]), of: f).scalars == [0, 0])
    let third = hvp(at: Tensor([0, 0]), along: Tensor([1, 2])) { x in
      (gradient(at: x, of: f) * Tensor([1, 1])).sum()
    }
    #expect(third.scalars == [0, 0])
  }

  @Test("Derivatives at the smallest numbers")
  func subnormal() {
    #expect(gradient(at: Tensor([Double.leastNonzeroMagnitude])) { $0.norm() }.scalars == [1])
    #expect(
      jvp(at: Tensor([-Double.leastNonzeroMagnitude]), along: Tensor([1])) { $0.norm() }.tangent
        .scalar == -1)
    #expect(
      gradient(at: Tensor([1e-45]).cast(to: .float32)) { $0.norm() }.scalars == [1])
    let curvature = hvp(at: Tensor([1e-308, 0]), along: Tensor([1, 1])) { $0.norm() }
    #expect(curvature.scalars[0] == 0 && isClose(curvature.scalars[1] / 1e308, 1))
    let single = hvp(
      at: Tensor([1e-38, 0]).cast(to: .float32), along: Tensor([1, 1]).cast(to: .float32)
    ) { $0.norm() }
    #expect(single.scalars[0] == 0 && abs(single.scalars[1] / 1e38 - 1) < 1e-6)
  }

  @Test("Along an axis of one element it is |x|, without curvature")
  func oneElement() {
    let x = Tensor([0.1, -0.7, 3.3]).reshaped(to: [3, 1])
    let f = { (x: Tensor) in (x.norm(alongAxis: 1) * Tensor([1.1, 0.3, 7])).sum() }
    #expect(x.norm(alongAxis: 1).scalars == [0.1, 0.7, 3.3])
    let v = Tensor([0.3, -1.7, 5]).reshaped(to: [3, 1])
    #expect(hvp(at: x, along: v, of: f).scalars == [0, 0, 0])
    let forward = { (x: Tensor) in
      jvp(at: x, along: v) { jvp(at: $0, along: v, of: f).tangent }.tangent
    }
    #expect(forward(x).scalar == 0)
    #expect(gradient(at: x, of: forward).scalars == [0, 0, 0])
    #expect(gradient(at: x) { (hvp(at: $0, along: v, of: f) * v).sum() }.scalars == [0, 0, 0])
  }

  @Test("Curvature along a vector that is nearly an axis keeps its digits")
  func nearlyAnAxis() {
    // ∇²‖x‖ at (1, 2⁻³³), by mpmath at 50 digits.
    let x = Tensor([1, 0x1p-33])
    let f = { (x: Tensor) in x.norm() }
    let along = hvp(at: x, along: Tensor([1, 0]), of: f).scalars
    #expect(isClose(along[0] / 1.3552527156068805e-20, 1))
    #expect(isClose(along[1] / -1.1641532182693481e-10, 1))
    let forward = jvp(at: x, along: Tensor([1, 0])) {
      jvp(at: $0, along: Tensor([1, 0]), of: f).tangent
    }
    #expect(isClose(forward.tangent.scalar / 1.3552527156068805e-20, 1))
  }
}
