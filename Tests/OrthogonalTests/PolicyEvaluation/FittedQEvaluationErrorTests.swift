import Autodiff
import Bilevel
import Orthogonal
import Solvers
import Testing

@Suite("Errors of fitted Q-evaluation") struct FittedQEvaluationErrorTests {
  private let states = Tensor(rows: [[0.0], [1], [2]])
  private let actions = Tensor(rows: [[1.0, 0], [0, 1], [1, 0]])
  private let rewards = Tensor([1.0, 2, 3])

  private func message(_ body: () throws(SolverError) -> Void) -> String {
    do {
      try body()
      return "no error"
    } catch {
      return "\(error)"
    }
  }

  @Test("Settings out of range are refused") func settings() {
    for discount in [1, -0.1, .nan] {
      let text = message { () throws(SolverError) in
        _ = try FittedQEvaluation(features: .tabular(stateCount: 3), discount: discount)
      }
      #expect(text.contains("the discount must be at least 0 and less than 1"))
    }
    let text = message { () throws(SolverError) in
      _ = try FittedQEvaluation(features: .tabular(stateCount: 3), discount: 0.5, ridge: -1)
    }
    #expect(text.contains("the ridge must be a number of 0 or more"))
  }

  @Test("Data that do not fit are refused") func data() {
    let none = message { () throws(SolverError) in
      _ = try Transitions(
        states: .zeros([0, 1]), actions: .zeros([0, 1]), rewards: .zeros([0]),
        nextStates: .zeros([0, 1]))
    }
    #expect(none.contains("there are no transitions"))
    let rows = message { () throws(SolverError) in
      _ = try Transitions(
        states: states, actions: actions, rewards: Tensor([1.0, 2]), nextStates: states)
    }
    #expect(rows.contains("the rewards have shape [2], expected [3]"))
    let terminal = message { () throws(SolverError) in
      _ = try Transitions(
        states: states, actions: actions, rewards: rewards, nextStates: states,
        isTerminal: [true, true, true])
    }
    #expect(terminal.contains("all 3 transitions are terminal"))
    let marks = message { () throws(SolverError) in
      _ = try Transitions(
        states: states, actions: actions, rewards: rewards, nextStates: states,
        trajectories: [0, 0])
    }
    #expect(marks.contains("the trajectory numbers have shape [2]"))
    let infinite = message { () throws(SolverError) in
      _ = try Transitions(
        states: states, actions: actions, rewards: rewards,
        nextStates: Tensor(rows: [[0], [.nan], [1]]), isTerminal: [true, false, false])
    }
    #expect(infinite.contains("the next states are not finite in 1 row"))
    let kind = message { () throws(SolverError) in _ = try Transitions.oneHot([0, 2], count: 2) }
    #expect(kind.contains("the action of row 1 (counted from 0) is 2"))
  }

  @Test("Policies that are none are refused") func policies() throws {
    let transitions = try Transitions(
      states: states, actions: actions, rewards: rewards, nextStates: states)
    let evaluation = try FittedQEvaluation(features: .tabular(stateCount: 3), discount: 0.5)
    func value(_ policy: EvaluationPolicy, _ initial: InitialStates) -> String {
      message { () throws(SolverError) in
        _ = try evaluation.evaluate(policy, on: transitions, from: initial)
      }
    }
    let uniform = EvaluationPolicy.stochastic(actionCount: 2) { .ones([$0.shape[0], 2]) / 2 }
    #expect(value(uniform, .firstOfTrajectories).contains("no trajectory numbers"))
    #expect(value(uniform, .known(.zeros([0, 1]))).contains("there is no initial state"))
    #expect(
      value(uniform, .known(.zeros([2, 2]))).contains("the initial states have shape [2, 2]"))
    let improper = EvaluationPolicy.stochastic(actionCount: 2) { .ones([$0.shape[0], 2]) }
    #expect(value(improper, .known(states)).contains("sum to 2"))
    let narrow = EvaluationPolicy.deterministic { $0[0..., 0] }
    #expect(value(narrow, .known(states)).contains("the actions of the policy have shape [3]"))
  }

  @Test("Polynomials hold each monomial once") func polynomialsHoldEachMonomialOnce() {
    let x = Tensor(rows: [[2.0, 3, 5]])
    let features = LinearClass.polynomials(inputSize: 3, degree: 2).features(x).scalars
    #expect(features == [1, 2, 3, 5, 4, 6, 10, 9, 15, 25])
    let cubic = LinearClass.polynomials(inputSize: 3, degree: 3).features(x).scalars
    // Each product of three factors of 2, 3 and 5, by the uniqueness of prime factors.
    #expect(cubic.count == 20 && Set(cubic).count == 20)
  }

  @Test("Features per action stand in blocks") func featuresPerActionStandInBlocks() throws {
    let features = StateActionFeatures.perAction(.polynomials(inputSize: 1, degree: 1))
    let values = try features(states, actions).scalars
    #expect(values == [1, 0, 0, 0, 0, 0, 1, 1, 1, 2, 0, 0])
  }
}
