import Autodiff
import ControlProblems
import Foundation
import Testing

@Suite("Cart pole") struct CartPoleTests {
  /// Lagrange's equations of a cart of mass M and a uniform rod of mass m and length 2l on it.
  ///
  ///     (M + m) ẍ + m l (θ̈ cos θ − θ̇² sin θ) = F
  ///     m l ẍ cos θ + (4/3) m l² θ̈ = m g l sin θ
  @Test("Steps solve the equations of motion") func stepsSolveTheEquationsOfMotion() {
    let (m, l) = (CartPole.poleMass, CartPole.poleHalfLength)
    let states = [
      [0, 0, 0.05, 0], [1, -0.4, -0.15, 0.8], [-2, 2, 0.2, -1.5], [0.3, 0.1, 0, 0.2],
    ]
    for state in states {
      for force in [-10.0, 10, 3.7] {
        let next = CartPole.moved(state, force: force)
        let acceleration = (next[1] - state[1]) / CartPole.timeStep
        let angular = (next[3] - state[3]) / CartPole.timeStep
        let (sine, cosine) = (sin(state[2]), cos(state[2]))
        let cart =
          (CartPole.cartMass + m) * acceleration
          + m * l * (angular * cosine - state[3] * state[3] * sine)
        let pole = m * l * acceleration * cosine + 4.0 / 3 * m * l * l * angular
        #expect(abs(cart - force) < 1e-10)
        #expect(abs(pole - m * CartPole.gravity * l * sine) < 1e-10)
        #expect(next[0] == state[0] + 0.02 * state[1])
        #expect(next[2] == state[2] + 0.02 * state[3])
      }
    }
  }

  @Test("Episodes end at the limits") func episodesEndAtTheLimits() {
    var draws = PhiloxGenerator(seed: 1)
    let environment = CartPole()
    func ends(_ state: [Double]) -> Bool {
      environment.step(from: state, .right, using: &draws).isTerminal
    }
    #expect(!ends([2.39, 0.4, 0, 0]))
    #expect(ends([2.39, 0.6, 0, 0]))
    #expect(!ends([0, 0, 0.2, 0.4]))
    #expect(ends([0, 0, 0.2, 0.5]))
    #expect(ends([0, 0, -0.2, -0.5]))
  }

  @Test("Noise makes transitions random") func noiseMakesTransitionsRandom() {
    var draws = PhiloxGenerator(seed: 1)
    let state = [0, 0, 0.05, 0]
    func velocities(_ environment: CartPole) -> [Double] {
      (0..<4000).map { _ in environment.step(from: state, .left, using: &draws).state[1] }
    }
    #expect(Set(velocities(CartPole())).count == 1)
    let noisy = velocities(CartPole(forceNoise: 5))
    let mean = noisy.reduce(0, +) / 4000
    let deviation = (noisy.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / 4000).squareRoot()
    // The velocity is linear in the force.
    let slope =
      (CartPole.moved(state, force: 1)[1] - CartPole.moved(state, force: 0)[1])
    #expect(abs(mean - CartPole.moved(state, force: -10)[1]) < 4 * 5 * slope / 4000.0.squareRoot())
    #expect(abs(deviation / (5 * slope) - 1) < 0.05)
  }

  @Test("Policies push as often as they say") func policiesPushAsOftenAsTheySay() throws {
    let policy = PushPolicy(gains: [0, 1, 10, 2], randomness: 0.3)
    let state = [0.1, 0.2, 0.05, -0.1]
    let probability = policy.probabilityOfRight(at: state)
    var draws = PhiloxGenerator(seed: 2)
    let rights = (0..<4000).count { _ in policy.action(at: state, using: &draws) == .right }
    let error = (probability * (1 - probability) / 4000).squareRoot()
    #expect(abs(Double(rights) / 4000 - probability) < 4 * error)
    guard case .stochastic(_, let probabilities) = policy.evaluation(onColumns: [3, 1, 2]) else {
      Issue.record("the policy is stochastic")
      return
    }
    let found = try probabilities(Tensor(rows: [[-0.1, 0.2, 0.05]])).scalars
    #expect(abs(found[1] - probability) < 1e-14 && abs(found[0] + found[1] - 1) < 1e-14)
  }
}
