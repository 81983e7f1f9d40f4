import GradientCheck
import Testing

@Suite("Tolerances of gradient checks") struct GradientToleranceTests {
  let tolerance = GradientTolerance(relative: 1e-3, absolute: 1e-6)

  func outcome(
    _ analytic: Double, _ numeric: Double, error: Double = 0, scale: Double = 0, floor: Double = 0
  ) -> GradientOutcome {
    tolerance.outcome(
      analytic: analytic, numeric: numeric, error: error, scale: scale, floor: floor)
  }

  @Test("The relative part of a tolerance") func relativePart() {
    #expect(outcome(1, 1.0009) == .passed)
    #expect(outcome(1, 1.0012) == .failed)
    #expect(outcome(1e-20, 2e-20) == .failed)
    #expect(outcome(0, 0) == .passed)
  }

  @Test("Part relative to the tensor") func partRelativeToTheTensor() {
    #expect(outcome(0, 0.9e-6, scale: 1) == .passed)
    #expect(outcome(0, 1.1e-6, scale: 1) == .failed)
    #expect(outcome(0, 1e-9, floor: 2e-9) == .passed)
  }

  @Test("Error of the reference") func errorOfTheReference() {
    #expect(outcome(1, 1.001_5, error: 1e-4) == .passed)
    #expect(outcome(1, 1.003, error: 1e-4) == .failed)
    #expect(outcome(1, 1.5, error: 0.1) == .inconclusive)
    // Agreement within the tolerance counts, however large the error was thought to be.
    #expect(outcome(1, 1.000_1, error: 0.1) == .passed)
    #expect(outcome(1, 3, error: 0.1) == .failed)
  }

  @Test("Values that are not finite") func valuesThatAreNotFinite() {
    #expect(outcome(.nan, 1) == .failed)
    #expect(outcome(.infinity, .infinity) == .failed)
    #expect(outcome(1, .nan) == .inconclusive)
    #expect(outcome(1, 1, error: .infinity) == .passed)
    #expect(outcome(1, 2, error: .infinity) == .inconclusive)
  }
}
