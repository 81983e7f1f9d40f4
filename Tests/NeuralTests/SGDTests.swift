import Autodiff
import Neural
import TestSupport
import Testing

/// References: PyTorch 2.15 in float64, torch.optim.SGD on the quadratic of `OptimizerFixture`.
@Suite("SGD")
struct SGDTests {
  @Test("Plain steps agree with PyTorch")
  func plain() {
    OptimizerFixture.expect(
      SGD(learningRate: 0.1),
      [
        [0.89, -1.8175, 0.27], [0.677975, -1.4472046875, -0.07234375],
        [0.472701765625, -1.0662799365234374, -0.32622930859375004],
      ])
  }

  @Test("Momentum and weight decay agree with PyTorch")
  func momentum() {
    OptimizerFixture.expect(
      SGD(learningRate: 0.1, momentum: 0.9, weightDecay: 0.1),
      [
        [0.88, -1.7975, 0.265], [0.35920174999999993, -0.8911144375000001, -0.576276625],
        [-0.32537476954375016, 0.38698000637656266, -1.130145355709375],
      ])
  }

  @Test("Nesterov momentum agrees with PyTorch")
  func nesterov() {
    OptimizerFixture.expect(
      SGD(learningRate: 0.1, momentum: 0.9, isNesterov: true, weightDecay: 0.1),
      [
        [0.7719999999999999, -1.61525, 0.053500000000000075],
        [0.1685365632499999, -0.5318821718125, -0.6372926908750001],
        [-0.41690152058448465, 0.6612734263554104, -0.7620795664451142],
      ])
  }

  @Test("A constant gradient by hand: 1, 1 + μ, 1 + μ + μ² times the step")
  func byHand() {
    var optimizer = SGD(learningRate: 0.5, momentum: 0.5)
    var w = Tensor([8, 8])
    for expected in [7.5, 6.75, 5.875] {
      optimizer.update(&w, along: Tensor([1, 1]))
      #expect(w.scalars == [expected, expected])
    }
    #expect(optimizer.velocities.map(\.scalars) == [[1.75, 1.75]])
  }

  @Test("Keeps no state without momentum")
  func state() {
    var optimizer = SGD(learningRate: 0.5)
    var w = Tensor([8])
    optimizer.update(&w, along: Tensor([2]))
    #expect(w.scalars == [7] && optimizer.velocities.isEmpty)
  }

  @Test("Refuses Nesterov steps without momentum")
  func refusal() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = SGD(learningRate: 0.1, isNesterov: true)
    }
    expectMessage(result, "SGD: a Nesterov step needs a momentum above 0")
  }
}
