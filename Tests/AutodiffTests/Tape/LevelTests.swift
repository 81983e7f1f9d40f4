import Autodiff
import Testing
import TestSupport

/// d/dx of a scalar function by forward mode.
func forwardDerivative(_ f: @escaping (Tensor) -> Tensor) -> (Tensor) -> Tensor {
  { x in jvp(at: x, along: Tensor.ones(like: x), of: f).tangent }
}

/// d/dx of a scalar function by reverse mode.
func reverseDerivative(_ f: @escaping (Tensor) -> Tensor) -> (Tensor) -> Tensor {
  { x in gradient(at: x, unused: .zero, of: f) }
}

/// All ways to take `order` derivatives, each step forward or reverse.
func mixtures(order: Int) -> [[Bool]] {
  (0..<1 << order).map { bits in (0..<order).map { bits >> $0 & 1 == 1 } }
}

@Suite("Levels")
struct LevelTests {
  @Test("Perturbations are not confused: d/dx [x · d/dy (x y)] at 1 is 2")
  func perturbationConfusion() {
    let x = Tensor(1)
    let y = Tensor(3)
    for outer in [forwardDerivative, reverseDerivative] {
      for inner in [forwardDerivative, reverseDerivative] {
        let slope = outer { x in x * inner { y in x * y }(y) }(x)
        #expect(slope.scalar == 2)
      }
    }
  }

  @Test(
    "Third derivatives agree with closed forms in all eight mixtures",
    arguments: mixtures(order: 3))
  func thirdDerivatives(isReverse: [Bool]) {
    func third(_ f: @escaping (Tensor) -> Tensor, at x: Double) -> Double {
      var derivative = f
      for step in isReverse {
        derivative = step ? reverseDerivative(derivative) : forwardDerivative(derivative)
      }
      return derivative(Tensor(x)).scalar
    }
    let x = 0.7
    let t = tanh(Tensor(x)).scalar
    #expect(isClose(third({ $0 * $0 * $0 * $0 * $0 }, at: x), 60 * x * x))
    #expect(isClose(third(tanh, at: x), -2 * (1 - t * t) * (1 - 3 * t * t)))
    #expect(isClose(third({ log($0) }, at: x), 2 / (x * x * x)))
    #expect(isClose(third({ exp(2 * $0) }, at: x), 8 * exp(Tensor(2 * x)).scalar))
    // x³ sin x: (6 − 9x²) cos … by Leibniz: Σ C(3,k) (x³)⁽ᵏ⁾ sin⁽³⁻ᵏ⁾.
    let (s, c) = (sin(Tensor(x)).scalar, cos(Tensor(x)).scalar)
    let leibniz = -x * x * x * c - 9 * x * x * s + 18 * x * c + 6 * s
    #expect(isClose(third({ pow($0, 3) * sin($0) }, at: x), leibniz))
  }

  @Test("A closure that throws leaves the levels as they were")
  func throwingClosure() throws {
    struct Failure: Error {}
    let x = Tensor(2)
    let slope = gradient(at: x) { x in
      do {
        _ = try gradient(at: x) { y throws(Failure) -> Tensor in
          _ = x * y
          throw Failure()
        }
        Issue.record("the inner gradient did not throw")
      } catch {
        #expect(error is Failure)
      }
      #expect(throws: Failure.self) {
        try jvp(at: x, along: Tensor(1)) { _ throws(Failure) -> Tensor in throw Failure() }
      }
      return x * x * x
    }
    #expect(slope.scalar == 12)
    #expect(!x.isTraced)
    #expect(gradient(at: x) { $0 * $0 }.scalar == 4)
  }

  @Test("A tensor that outlives its transform is a constant, and carries no tape")
  func escapedTensor() {
    var escaped = Tensor(0)
    let x = Tensor(3)
    _ = gradient(at: x) { x in
      escaped = x * x
      return escaped
    }
    #expect(!escaped.isTraced)
    #expect(escaped.scalar == 9)
    let slope = gradient(at: x) { $0 * escaped }
    #expect(slope.scalar == 9)
  }

  @Test("A closure may capture tensors of outer levels")
  func capturedOuterTensor() {
    // d/dx of (d/dy (x² y²) at y = 3) = d/dx 6 x² = 12 x.
    let slope = gradient(at: Tensor(2)) { x in
      gradient(at: Tensor(3)) { y in x * x * y * y }
    }
    #expect(slope.scalar == 24)
  }

  @Test("A chain of a million operations is differentiated and freed without stack growth")
  func millionOperations() {
    let count = 1_000_000
    let slope = gradient(at: Tensor(0.5)) { x in
      var y = x
      for _ in 0..<count { y = y + x }
      return y
    }
    #expect(slope.scalar == Double(count + 1))
    let (_, pullback) = vjp(at: Tensor(1)) { x in
      var y = x
      for _ in 0..<count { y = 1.0 * y }
      return y
    }
    #expect(pullback(Tensor(2)).scalar == 2)
  }

  @Test("stopGradient is constant at every order")
  func stopsGradients() {
    let first = gradient(at: Tensor(3)) { x in x * stopGradient(x) }
    #expect(first.scalar == 3)
    let second = forwardDerivative(reverseDerivative { x in x * x * stopGradient(x) })
    #expect(second(Tensor(3)).scalar == 6)
  }
}
