import Autodiff
import Inference
import Testing
import TestSupport

// Reference values: mpmath with 40 digits (roots of the regularised incomplete gamma and beta
// functions), at the exact value of each Double argument.

@Suite("Quantile") struct QuantileTests {
  @Test(
    "χ² quantiles",
    arguments: [
      (0.95, 1.0, 3.84145882069412447), (0.95, 2.0, 5.99146454710798021),
      (0.95, 3.0, 7.81472790325117797), (0.95, 4.0, 9.4877290367811546),
      (0.95, 100.0, 124.342113404004075), (0.5, 1000.0, 999.333412403380969),
      (1e-10, 3.0, 5.20939762143448033e-7), (0.001, 0.5, 1.34993957862307507e-12),
      (0.999999, 2.0, 27.6310211158710369), (0.25, 7.0, 4.25485218354651574),
    ])
  func chiSquared(p: Double, degrees: Double, reference: Double) {
    #expect(agrees(TestDistributions.chiSquaredQuantile(p, degrees: degrees), reference))
  }

  @Test(
    "F quantiles",
    arguments: [
      (0.95, 1.0, 10.0, 4.96460274373071204), (0.95, 2.0, 20.0, 3.49282847673563195),
      (0.95, 5.0, 3.0, 9.01345516752258052), (0.99, 10.0, 1000.0, 2.33863231580136457),
      (0.5, 4.0, 4.0, 1.0), (1e-06, 3.0, 8.0, 7.60822090481631242e-5),
      (0.05, 50.0, 60.0, 0.63465714151401638), (0.975, 2.0, 1e6, 3.68889306197902756),
    ])
  func f(p: Double, numerator: Double, denominator: Double, reference: Double) {
    let value = TestDistributions.fQuantile(p, numerator: numerator, denominator: denominator)
    #expect(agrees(value, reference))
  }

  @Test(
    "Student's t quantiles",
    arguments: [
      (0.975, 1.0, 12.7062047361746933), (0.975, 2.0, 4.30265272974946179),
      (0.975, 10.0, 2.22813885198627422), (0.975, 30.0, 2.04227245630123789),
      (0.95, 5.0, 2.01504837333302354), (0.025, 5.0, -2.57058183563631547),
      (0.6, 3.0, 0.276670662332689847), (0.5001, 7.0, 0.000259746030902545036),
      (1e-12, 4.0, -1316.07274655925654), (0.9995, 1e6, 3.29053646124872212),
    ])
  func student(p: Double, degrees: Double, reference: Double) {
    #expect(agrees(TestDistributions.studentQuantile(p, degrees: degrees), reference))
  }

  @Test("Quantiles at 0, 1 and beyond") func edges() {
    #expect(TestDistributions.chiSquaredQuantile(0, degrees: 3) == 0)
    #expect(TestDistributions.chiSquaredQuantile(1, degrees: 3) == .infinity)
    #expect(TestDistributions.chiSquaredQuantile(1.1, degrees: 3).isNaN)
    #expect(TestDistributions.fQuantile(0.5, numerator: 0, denominator: 3).isNaN)
    #expect(TestDistributions.studentQuantile(0.5, degrees: 3) == 0)
    #expect(TestDistributions.studentQuantile(0, degrees: 3) == -.infinity)
    #expect(TestDistributions.studentQuantile(.nan, degrees: 3).isNaN)
  }

  /// With two degrees of freedom the tails are exponential.
  @Test("Lower tails of χ²", arguments: [1e-18, 1e-3, 1.0, 30.0])
  func chiSquaredLowerTail(x: Double) {
    let lower = TestDistributions.chiSquaredLowerTail(x, degrees: 2)
    let reference = -expMinusOne(Tensor(-x / 2)).scalar
    #expect(agrees(lower, reference))
  }
}
