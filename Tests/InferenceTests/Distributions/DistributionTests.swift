import Inference
import Testing
import TestSupport

// Reference values: mpmath with 60 digits (erfc, erfinv, gammainc and betainc, regularised), at the
// exact value of each Double argument.

@Suite("Distribution") struct DistributionTests {
  @Test(
    "Normal probabilities, tails included",
    arguments: [
      (0.0, 0.5), (0.1, 0.539827837277028984), (-0.5, 0.308537538725986896),
      (1.0, 0.841344746068542949), (-1.96, 0.0249978951482204362), (2.5, 0.993790334674223865),
      (-5.0, 2.86651571879193912e-7), (-10.0, 7.61985302416052607e-24),
      (-20.0, 2.7536241186062337e-89), (8.0, 0.999999999999999378),
      (-37.0, 5.72557122252457682e-300),
    ])
  func normalCumulative(x: Double, reference: Double) {
    #expect(agrees(NormalDistribution.cumulative(x), reference))
  }

  @Test(
    "Normal quantiles",
    arguments: [
      (1e-300, -37.0470962993611992), (1e-20, -9.26234008979840758), (1e-05, -4.26489079392282461),
      (0.02425, -1.97296105131188484), (0.25, -0.674489750196081743), (0.3, -0.524400512708040816),
      (0.5, 0.0), (0.9, 1.28155156554460059), (0.975, 1.95996398454005386),
      (0.999, 3.09023230616781328), (0.9999999999990905, 7.04770025666440873),
    ])
  func normalQuantile(p: Double, reference: Double) {
    #expect(agrees(NormalDistribution.quantile(p), reference))
  }

  @Test("Normal quantiles at 0 and 1") func normalEdges() {
    #expect(NormalDistribution.quantile(0) == -.infinity)
    #expect(NormalDistribution.quantile(1) == .infinity)
    #expect(NormalDistribution.quantile(-0.1).isNaN)
    #expect(NormalDistribution.quantile(.nan).isNaN)
    #expect(NormalDistribution.twoSidedPValue(0) == 1)
    #expect(agrees(NormalDistribution.twoSidedPValue(-1.96), 2 * 0.0249978951482204362))
  }

  @Test(
    "Upper tails of χ²",
    arguments: [
      (0.001, 1.0, 0.974772879369960388), (1.0, 1, 0.317310507862914103),
      (3.841458820694124, 1, 0.0500000000000000574), (10.0, 1, 0.00156540225800254968),
      (200.0, 1, 2.08848758376254476e-45), (0.5, 2, 0.778800783071404868),
      (5.0, 3, 0.171797144296733135), (20.0, 10, 0.0292526880769610727),
      (100.0, 100, 0.481191684527956718), (130.0, 100, 0.0235123978098086757),
      (60.0, 100, 0.999481108537451966), (1100.0, 1000, 0.014614408126295194),
      (950.0, 1000, 0.869124065745688426), (3200.0, 3000, 0.00561748602792714845),
      (1e-08, 4, 0.999999999999999988),
    ])
  func chiSquaredUpperTail(x: Double, degrees: Double, reference: Double) {
    #expect(agrees(TestDistributions.chiSquaredUpperTail(x, degrees: degrees), reference))
  }

  @Test(
    "Upper tails of F",
    arguments: [
      (1.0, 1.0, 1.0, 0.5), (13.256, 1, 2994, 0.000276308582639107201),
      (0.5, 2, 10, 0.620921323059155174), (3.0, 5, 20, 0.0352013374526666335),
      (8.0, 2, 2993, 0.000342687133153667937), (1.05, 1000, 1000, 0.220291482525933761),
      (0.9, 3000, 2500, 0.997072652705014701), (100.0, 3, 5, 0.0000696862549032697551),
      (0.001, 4, 7, 0.999997433951687868), (50.0, 10, 5000, 3.74088958540503918e-96),
      (4.0, 2, 1, 0.333333333333333333), (0.01, 50, 60, 1.0),
      (1.3, 1, 1_000_000, 0.254213496682806748),
    ])
  func fUpperTail(f: Double, numerator: Double, denominator: Double, reference: Double) {
    let value = TestDistributions.fUpperTail(f, numerator: numerator, denominator: denominator)
    #expect(agrees(value, reference))
  }

  @Test(
    "Two-sided tails of Student's t",
    arguments: [
      (0.5, 1.0, 0.704832764699133452), (2.0, 3, 0.139325968558843177),
      (12.706, 1, 0.0500008023581331879), (1.96, 2994, 0.0500884169493052819),
      (5.0, 10, 0.000537333602756452617), (40.0, 30, 1.37260451944064028e-27),
      (0.01, 5, 0.992408018042581903),
    ])
  func studentTwoSided(t: Double, degrees: Double, reference: Double) {
    #expect(agrees(TestDistributions.studentTwoSided(t, degrees: degrees), reference))
  }

  @Test("Tails at 0 and ∞") func tailEdges() {
    #expect(TestDistributions.chiSquaredUpperTail(0, degrees: 3) == 1)
    #expect(TestDistributions.chiSquaredUpperTail(.infinity, degrees: 3) == 0)
    #expect(TestDistributions.chiSquaredUpperTail(.nan, degrees: 3).isNaN)
    #expect(TestDistributions.fUpperTail(0, numerator: 1, denominator: 5) == 1)
    #expect(TestDistributions.fUpperTail(.infinity, numerator: 1, denominator: 5) == 0)
    #expect(TestDistributions.fUpperTail(1, numerator: 0, denominator: 5).isNaN)
  }
}
