import Autodiff
import Bilevel
import ControlProblems
import Testing

@Suite("Rollouts") struct RolloutTests {
  /// Earns 1 a step and ends with probability 0.1 after each.
  private struct Lottery: Environment {
    let stateNames = ["number"]
    func initialState(using generator: inout PhiloxGenerator) -> [Double] { [0] }
    func step(
      from state: [Double], _ action: Double, using generator: inout PhiloxGenerator
    ) -> Step {
      Step(
        state: [state[0] + 1], reward: 1,
        isTerminal: Double.random(in: 0..<1, using: &generator) < 0.1)
    }
    func number(of action: Double) -> Double { action }
  }

  @Test("Values of rollouts are discounted sums") func valuesOfRollouts() {
    let found = Lottery().value(
      of: ProportionalPolicy(gain: 1), discount: 0.8, rollouts: 20_000,
      generator: PhiloxGenerator(seed: 1))
    // v = 1 + 0.9 · 0.8 v.
    #expect(abs(found.value - 1 / 0.28) < 4 * found.standardError)
    #expect(found.standardError < 0.02)
  }

  @Test("The sine process has its value") func theSineProcessHasItsValue() {
    let found = SineProcess().value(
      of: ProportionalPolicy(gain: SineProcess.evaluationGain), discount: SineProcess.discount,
      rollouts: 4000, generator: PhiloxGenerator(seed: 2))
    #expect(abs(found.value - SineProcess.value) < 4 * found.standardError)
  }

  @Test("Logs are trajectories") func logsAreTrajectories() throws {
    let log = Lottery().log(
      ProportionalPolicy(gain: 2), trajectories: 300, limit: 5, generator: PhiloxGenerator(seed: 3))
    for (row, next) in zip(log.rows, log.rows.dropFirst()) {
      if row.trajectory == next.trajectory {
        #expect(row.step.state == next.state && !row.step.isTerminal)
      } else {
        #expect(next.trajectory == row.trajectory + 1 && next.state == [0])
        #expect(row.step.isTerminal || row.state == [4])
      }
      #expect(row.action == 2 * row.state[0])
    }
    let transitions = try log.transitions()
    #expect(transitions.count == log.rows.count && transitions.trajectoryCount == 300)
    #expect(transitions.rewards.sum().scalar == Double(log.rows.count))
  }

  @Test("Trajectories do not depend on their number") func trajectoriesDoNotDependOnTheirNumber() {
    let generator = PhiloxGenerator(seed: 4)
    let few = CartPole(forceNoise: 3).log(
      PushPolicy.logging, trajectories: 3, limit: 20, generator: generator)
    let many = CartPole(forceNoise: 3).log(
      PushPolicy.logging, trajectories: 5, limit: 20, generator: generator)
    #expect(few.rows == Array(many.rows.prefix(few.rows.count)))
  }
}
