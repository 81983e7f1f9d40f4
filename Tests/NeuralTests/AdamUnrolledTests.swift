import Autodiff
import Neural
import Testing

@Suite("Unrolled Adam")
struct AdamUnrolledTests {
  @Test("A parameter whose gradient is exactly zero does not spoil the derivative of a run")
  func zeroGradient() {
    // The second parameter never moves; the first sees g = λ w.
    func end(_ rate: Tensor) -> Tensor {
      var optimizer = Adam(learningRate: 0.1)
      var w = Tensor([1, 0])
      for _ in 0..<3 { optimizer.update(&w, along: rate * w) }
      return w
    }
    let rate = Tensor(0.7)
    let forward = jvp(at: rate, along: Tensor(1), of: end).tangent
    let reverse = jacobian(at: rate, mode: .reverse, of: end)
    #expect(forward.isFinite)
    #expect((forward - reverse).normInfinity().scalar < 1e-14)
    #expect(forward[1].scalar == 0)
    let step = 1e-5
    let difference = (end(rate + step) - end(rate - step)) / (2 * step)
    #expect((forward - difference).normInfinity().scalar < 1e-9)
  }
}
