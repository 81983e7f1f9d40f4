import Autodiff
import Foundation
import Testing

@Suite("Deterministic mathematics") struct DeterministicMathTests {
  @Test("The logarithm has its digits everywhere") func logarithm() {
    #expect(DeterministicMath.log(1) == 0)
    let special = [
      2, 0.5, 10, 1.4142135623730951, 0.7071067811865476, 1e300, 1.0.nextUp, 1.0.nextDown,
      Double.leastNonzeroMagnitude, Double.leastNormalMagnitude.nextDown,
    ]
    for x in special {
      let expected = Foundation.log(x)
      #expect(abs(DeterministicMath.log(x) - expected) <= 2 * expected.ulp)
    }
    var generator = PhiloxGenerator(seed: 1)
    for _ in 0..<20_000 {
      let x = Double.random(in: 0.0001..<3, using: &generator)
      let expected = Foundation.log(x)
      #expect(abs(DeterministicMath.log(x) - expected) <= 2 * expected.ulp)
    }
  }

  /// Quantiles computed with 60 digits; the arguments are the doubles nearest to what is written.
  @Test("Normal quantiles have their digits") func normalQuantiles() {
    let known: [(Double, Double)] = [
      (0.25, -0.6744897501960817432), (0.75, 0.6744897501960817432),
      (0.074, -1.4466320671589785099), (0.076, -1.4325027208258116188),
      (0.925, 1.4395314709384562291), (0.975, 1.9599639845400538556),
      (0.01, -2.3263478740408410931), (0.001, -3.0902323061678135354),
      (1e-5, -4.2648907939228246102), (1e-10, -6.3613409024040561991),
      (1e-12, -7.0344838253011319326), (1.5e-16, -8.1733267690085067688),
      (0x1p-53, -8.2095361516013868556), (1e-20, -9.2623400897984075796),
      (1e-100, -21.273453560965324294), (1e-300, -37.047096299361199237),
      (0.9999999999, 6.3613408896974218642), (0.500000001, 2.5066282037387114376e-9),
    ]
    #expect(DeterministicMath.normalQuantile(0.5) == 0)
    for (p, x) in known {
      #expect(abs(DeterministicMath.normalQuantile(p) - x) <= 1e-15 * abs(x))
    }
  }

  @Test("Quantile is monotone across the branches") func quantileIsMonotoneAcrossTheBranches() {
    for boundary in [0.075, 0.925, exp(-25)] {
      var p = boundary * (1 - 50e-13)
      var last = DeterministicMath.normalQuantile(p)
      for _ in 0..<100 {
        p *= 1 + 1e-13
        let next = DeterministicMath.normalQuantile(p)
        #expect(next > last)
        last = next
      }
    }
  }
}
