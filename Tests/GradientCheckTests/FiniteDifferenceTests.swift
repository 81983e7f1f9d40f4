import GradientCheck
import Testing

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

@Suite("Finite differences") struct FiniteDifferenceTests {
  /// A function of one number, the point, the typical size there, and the exact derivative.
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let point: Double
    var size: Double?
    let derivative: Double
    /// The largest accepted relative error.
    let accuracy: Double
    let function: @Sendable (Double) -> Double

    var testDescription: String { name }

    func estimate(side: FiniteDifference.Side = .both, noise: Double = 0) -> FiniteDifference? {
      let size = size ?? point.magnitude
      var goal = FiniteDifference.Goal(count: 1)
      goal.noise = [noise]
      let curve = { (t: Double) -> [Double]? in
        let value = function(point + t * size)
        return value.isFinite ? [value] : nil
      }
      guard var result = FiniteDifference.estimate(of: curve, side: side, goal: goal) else {
        return nil
      }
      result.derivative[0] /= size
      result.error[0] /= size
      return result
    }
  }

  static let cases = [
    Case(name: "sin x at 1", point: 1, derivative: cos(1), accuracy: 2e-14) { sin($0) },
    Case(name: "exp 10x at 1", point: 1, derivative: 10 * exp(10), accuracy: 2e-13) {
      exp(10 * $0)
    },
    Case(name: "x³ at 1e4", point: 1e4, derivative: 3e8, accuracy: 2e-14) { $0 * $0 * $0 },
    Case(name: "sin 50x at 1", point: 1, derivative: 50 * cos(50), accuracy: 2e-13) {
      sin(50 * $0)
    },
    Case(name: "sin x + 1e6", point: 1, derivative: cos(1), accuracy: 2e-8) { sin($0) + 1e6 },
    Case(name: "log x at 1e-3", point: 1e-3, derivative: 1e3, accuracy: 1e-13) { log($0) },
    Case(
      name: "log x at 1e-3 of a tensor of size 1", point: 1e-3, size: 1, derivative: 1e3,
      accuracy: 1e-10
    ) { log($0) },
    Case(name: "sin 1000x at 1", point: 1, derivative: 1000 * cos(1000), accuracy: 1e-11) {
      sin(1000 * $0)
    },
    Case(
      name: "kink of |x| at a fiftieth of the point", point: 0.02, size: 1, derivative: 1,
      accuracy: 1e-12
    ) { $0.magnitude },
    Case(name: "1e-9 sin x", point: 1, derivative: 1e-9 * cos(1), accuracy: 2e-14) {
      1e-9 * sin($0)
    },
  ]

  @Test("accurate and honest about its error", arguments: cases)
  func accuracy(_ example: Case) throws {
    let estimate = try #require(example.estimate())
    let error = (estimate.derivative[0] - example.derivative).magnitude
    #expect(error <= example.accuracy * example.derivative.magnitude)
    #expect(error <= GradientTolerance.errorInflation * estimate.error[0])
    // An honest estimate is not a useless one.
    #expect(estimate.error[0] <= 100 * example.accuracy * example.derivative.magnitude)
  }

  @Test("Labels domain limits") func labelsDomainLimits() throws {
    let isLimited = try Self.cases.map { try #require($0.estimate()).isDomainLimited }
    #expect(isLimited == Self.cases.map { $0.name.hasSuffix("tensor of size 1") })
  }

  @Test("Falls back to one side") func fallsBackToOneSide() throws {
    let edge = Case(name: "x² + x on x ≥ 1", point: 1, derivative: 3, accuracy: 1e-12) {
      $0 < 1 ? .nan : $0 * $0 + $0
    }
    let estimate = try #require(edge.estimate())
    #expect(estimate.isDomainLimited)
    #expect((estimate.derivative[0] - 3).magnitude <= 1e-12)
    #expect(edge.estimate(side: .left) == nil)
  }

  @Test("Undefined everywhere is nil") func undefinedEverywhereIsNil() {
    let nowhere = Case(name: "nan", point: 1, derivative: 0, accuracy: 0) { _ in .nan }
    #expect(nowhere.estimate() == nil)
  }

  @Test("One-sided derivatives of a kink differ") func oneSidedDerivativesOfAKinkDiffer() throws {
    let kink = Case(name: "|x − 1|", point: 1, derivative: 0, accuracy: 0) { ($0 - 1).magnitude }
    let left = try #require(kink.estimate(side: .left))
    let right = try #require(kink.estimate(side: .right))
    #expect((left.derivative[0] + 1).magnitude < 1e-12)
    #expect((right.derivative[0] - 1).magnitude < 1e-12)
  }

  /// A solver stopped at 1e-8 gives values with an error that jumps from point to point.
  @Test("Noise widens the estimate") func noiseWidensTheEstimate() throws {
    let noisy = Case(name: "sin x with noise 1e-8", point: 1, derivative: cos(1), accuracy: 1e-5) {
      sin($0) * (1 + 1e-8 * sin(1e12 * $0))
    }
    let estimate = try #require(noisy.estimate(noise: 1e-8))
    let error = (estimate.derivative[0] - noisy.derivative).magnitude
    #expect(error <= 1e-5)
    #expect(error <= GradientTolerance.errorInflation * estimate.error[0])
  }

  @Test("Elements of a curve are independent") func elementsOfACurveAreIndependent() throws {
    var goal = FiniteDifference.Goal(count: 3)
    goal.relative = 1e-10
    let estimate = try #require(
      FiniteDifference.estimate(of: { [sin($0), 3 * $0 + 1, 7] }, goal: goal))
    #expect((estimate.derivative[0] - 1).magnitude < 1e-10)
    #expect((estimate.derivative[1] - 3).magnitude < 1e-10)
    #expect(estimate.derivative[2] == 0)
  }

  @Test("A curve of no elements") func emptyCurve() throws {
    let estimate = try #require(
      FiniteDifference.estimate(of: { _ in [] }, goal: FiniteDifference.Goal(count: 0)))
    #expect(estimate.derivative.isEmpty)
  }
}
