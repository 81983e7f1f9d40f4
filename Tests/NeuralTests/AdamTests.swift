import Autodiff
import Neural
import Testing

/// References: PyTorch 2.15 in float64, torch.optim.Adam and AdamW on the quadratic of
/// `OptimizerFixture`.
@Suite("Adam and AdamW")
struct AdamTests {
  @Test("Adam agrees with PyTorch")
  func adam() {
    OptimizerFixture.expect(
      Adam(learningRate: 0.01),
      [
        [0.990000000090909, -1.9900000000547946, 0.49000000004347827],
        [0.9699549153648138, -1.9699505918824902, 0.46995035769882204],
        [0.9498011050549376, -1.9497796725620633, 0.4497767033128732],
      ])
  }

  @Test("Adam with coupled weight decay agrees with PyTorch")
  func coupled() {
    OptimizerFixture.expect(
      Adam(learningRate: 0.05, weightDecay: 0.1),
      [
        [0.9500000004166667, -1.9500000002469136, 0.450000000212766],
        [0.8499277432452348, -1.8497739478295807, 0.34980967176918454],
        [0.7496760601111282, -1.7490028187865903, 0.24916050428570802],
      ])
  }

  @Test("Adam with other decays and a large ε, which stands outside the root")
  func epsilon() {
    OptimizerFixture.expect(
      Adam(learningRate: 0.05, beta1: 0.8, beta2: 0.95, epsilon: 0.1, weightDecay: 0.3),
      [
        [0.9533333333333334, -1.951980198019802, 0.4519607843137255],
        [0.8598601112398702, -1.8554037031845727, 0.3554103666993108],
        [0.7661068986950029, -1.7577650570098096, 0.25791768788641584],
      ])
  }

  @Test("AdamW agrees with PyTorch")
  func decoupled() {
    OptimizerFixture.expect(
      Adam(learningRate: 0.05, weightDecay: 0.1, isDecayDecoupled: true),
      [
        [0.9450000004545455, -1.9400000002739726, 0.4475000002173913],
        [0.8357450947582755, -1.8206650396266406, 0.3430978218435896],
        [0.7273808408840001, -1.7019560902787132, 0.23928045504297885],
      ])
  }

  /// The published formulas in scalars, with powers as running products.
  @Test("Three steps agree with the formulas written out in numbers", arguments: [false, true])
  func formulas(_ isDecoupled: Bool) {
    let (rate, b1, b2, epsilon, decay) = (0.1, 0.9, 0.999, 1e-8, 0.2)
    let gradients = [0.5, -2, 3]
    var (w, m, v, p1, p2) = (1.5, 0.0, 0.0, 1.0, 1.0)
    var expected: [Double] = []
    for g in gradients {
      let g = isDecoupled ? g : g + decay * w
      if isDecoupled { w -= rate * decay * w }
      m = b1 * m + (1 - b1) * g
      v = b2 * v + (1 - b2) * g * g
      p1 *= b1
      p2 *= b2
      w -= rate * (m / (1 - p1)) / ((v / (1 - p2)).squareRoot() + epsilon)
      expected.append(w)
    }
    var optimizer: any Optimizer =
      isDecoupled
      ? Adam(learningRate: rate, weightDecay: decay, isDecayDecoupled: true)
      : Adam(learningRate: rate, weightDecay: decay)
    var x = Tensor([1.5])
    for (g, value) in zip(gradients, expected) {
      optimizer.update(&x, along: Tensor([g]))
      expectClose(x, [value], tolerance: 1e-14)
    }
  }

  @Test("Without weight decay Adam and AdamW take the same steps")
  func agreement() {
    let adam = OptimizerFixture.run(Adam(learningRate: 0.1))
    let adamW = OptimizerFixture.run(
      Adam(learningRate: 0.1, weightDecay: 0, isDecayDecoupled: true))
    for (a, b) in zip(adam, adamW) { #expect(a.isBitwiseEqual(to: b)) }
  }

  @Test("Bias correction stays right over many steps: a constant gradient moves by η each")
  func manySteps() {
    var optimizer = Adam(learningRate: 0.001)
    var w = Tensor([1, 1])
    for _ in 0..<2000 { optimizer.update(&w, along: Tensor([3, -0.25])) }
    expectClose(w, [-1, 3], tolerance: 1e-6)
    #expect(optimizer.moments.stepCount == 2000)
  }

  @Test("The state is a tree with named leaves, and resumes a run")
  func state() {
    var first = Adam(learningRate: 0.1)
    var w = OptimizerFixture.start
    #expect(first.moments.tensors.isEmpty)
    first.update(&w, along: OptimizerFixture.gradient(w, step: 1))
    #expect(first.moments.tensorPaths == ["first.0", "second.0"])
    var resumed = Adam(learningRate: 0.1)
    resumed.moments = first.moments
    var other = w
    first.update(&w, along: OptimizerFixture.gradient(w, step: 2))
    resumed.update(&other, along: OptimizerFixture.gradient(other, step: 2))
    #expect(w.isBitwiseEqual(to: other))
  }
}
