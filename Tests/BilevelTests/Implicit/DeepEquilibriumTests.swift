import Autodiff
import Bilevel
import Solvers
import TestSupport
import Testing

/// Training of a layer z = tanh(W z + U x) through the point where its fixed point is about to split.
@Suite("Deep equilibrium training")
struct DeepEquilibriumTests {
  @Test("A hundred steps near a bifurcation, with either solver", arguments: [0, 1], [0.0, 0.3])
  func training(index: Int, mixing: Double) throws {
    let solver: any InnerSolver = [AndersonAcceleration(), FixedPointIteration()][index]
    let count = 8
    // Nearly no input: at W = I the fixed point 0 would split in two, and the targets ask for W > I.
    let inputs = 1e-3 * normal([5, count], seed: 2)
    let targets = 0.5 * sign(inputs)
    var weights = 0.8 * Tensor.identity(count) + mixing * 0.1 * normal([count, count], seed: 3)
    let layer = AID(
      fixedPoint: { (z: Tensor, w: Tensor) in tanh(matmul(z, w) + inputs) },
      startingAt: Tensor.zeros([5, count]), solver: solver)
    let state = WarmStart<Tensor>()
    var (first, last) = (Double?.none, 0.0)
    for _ in 0..<100 {
      let (loss, slope) = try valueWithGradient(at: weights) { w in
        square(try layer.solution(at: w, warmStart: state).value - targets).mean()
      }
      #expect(slope.isFinite)
      (first, last) = (first ?? loss.scalar, loss.scalar)
      // Slopes grow without bound towards the bifurcation; the step is bounded, as trainers do.
      weights -= 0.02 * slope / maximum(slope.norm(), 0.02)
    }
    #expect(last < first ?? 0)
  }

  @Test("On contractions Anderson's acceleration ends wherever plain iteration does")
  func contractions() throws {
    for seed in 1...20 as ClosedRange<UInt64> {
      let a = normal([6, 6], seed: seed)
      // Norm below 1 in a skewed basis: residuals may grow for a while.
      let skew = Tensor.identity(6) + 3 * normal([6, 6], seed: seed + 100)
      let core = try solve(skew, matmul(0.97 * a / a.norm(), skew))
      let map = { @Sendable (x: Tensor, y: Tensor) in
        sin(matmul(core, x)) + y * Tensor([1, 0, -1, 2, 0, 1])
      }
      let layers = [FixedPointIteration(), AndersonAcceleration() as any InnerSolver].map {
        AID(fixedPoint: map, startingAt: Tensor.zeros([6]), solver: $0)
      }
      guard let plain = try? layers[0].solution(at: Tensor(1)) else { continue }
      let accelerated = try layers[1].solution(at: Tensor(1))
      #expect(
        distance(map(accelerated.value, Tensor(1)), accelerated.value)
          <= 1e-6 * plain.value.norm().scalar)
    }
  }
}
