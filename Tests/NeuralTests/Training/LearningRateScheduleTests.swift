import Autodiff
import Neural
import TestSupport
import Testing

@Suite("Learning-rate schedules")
struct LearningRateScheduleTests {
  private func expect(
    _ schedule: LearningRateSchedule, _ expected: [Double],
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let factors = expected.indices.map { schedule.factor(at: $0) }
    expectClose(Tensor(factors), expected, tolerance: 1e-15, sourceLocation: sourceLocation)
  }

  @Test("A constant schedule is 1")
  func constant() { expect(.constant, [1, 1, 1]) }

  @Test("Step decay is constant between its steps")
  func stepDecay() {
    expect(.stepDecay(factor: 0.1, every: 3), [1, 1, 1, 0.1, 0.1, 0.1, 0.01, 0.01])
    expect(.stepDecay(factor: 2, every: 1), [1, 2, 4, 8])
  }

  @Test("An exponential meets step decay where that jumps, and is its geometric mean between")
  func exponential() {
    let half = 0.5.squareRoot()
    expect(.exponential(factor: 0.5, over: 2), [1, half, 0.5, 0.5 * half, 0.25])
    #expect(LearningRateSchedule.exponential(factor: 0.5, over: 1000).factor(at: 10_000) == 0x1p-10)
  }

  @Test("A cosine has its closed-form values at multiples of 30°, and stays at its minimum")
  func cosine() {
    let root = 3.0.squareRoot()
    let rising = [1, (2 + root) / 4, 0.75, 0.5, 0.25, (2 - root) / 4, 0, 0, 0]
    expect(.cosine(over: 6), rising)
    expect(.cosine(over: 6, minimum: 0.2), rising.map { 0.2 + 0.8 * $0 })
    #expect(LearningRateSchedule.cosine(over: 6, minimum: 0.2).factor(at: 1_000_000) == 0.2)
  }

  @Test("A warm-up rises in equal steps to the first factor of what follows, which then begins")
  func warmUp() {
    expect(.warmUp(over: 3), [0.25, 0.5, 0.75, 1, 1])
    expect(
      .warmUp(over: 1, then: .stepDecay(factor: 0.5, every: 2)), [0.5, 1, 1, 0.5, 0.5, 0.25])
    expect(.warmUp(over: 0, then: .cosine(over: 2)), [1, 0.5, 0])
    expect(.warmUp(over: 1, then: LearningRateSchedule { 4 + Double($0) }), [2, 4, 5, 6])
  }

  @Test("Refuses wrong settings, steps below 0 and factors that are not finite")
  func refusals() async {
    let count = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = LearningRateSchedule.cosine(over: 0)
    }
    expectMessage(count, "LearningRateSchedule: expected a number of steps above 0, found 0")
    let minimum = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = LearningRateSchedule.cosine(over: 1, minimum: 1.5)
    }
    expectMessage(minimum, "expected a minimum in [0, 1], found 1.5")
    let step = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = LearningRateSchedule.constant.factor(at: -1)
    }
    expectMessage(step, "steps count from 0, found -1")
    let factor = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = LearningRateSchedule { _ in .nan }.factor(at: 7)
    }
    expectMessage(factor, "expected a finite factor of at least 0, found nan at step 7")
  }
}
