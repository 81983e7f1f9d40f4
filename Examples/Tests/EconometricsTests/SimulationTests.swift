import Econometrics
import Inference
import Testing

/// A small seeded generator (Steele, Lea and Flood 2014).
struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func normal() -> Double {
    NormalDistribution.quantile((Double(next() >> 11) + 0.5) * 0x1p-53)
  }
}

@Suite("Simulations") struct SimulationTests {
  /// Samples with a confounder, two instruments and errors whose variance depends on the
  /// instrument if `isHeteroskedastic`; the true coefficient of x is 0.5.
  private func sample(
    _ generator: inout SplitMix64, rows: Int, isHeteroskedastic: Bool
  ) throws -> InstrumentalModel {
    var columns = [[Double]](repeating: [], count: 5)
    for _ in 0..<rows {
      let (w, z1, z2) = (generator.normal(), generator.normal(), generator.normal())
      let confounder = generator.normal()
      let spread = isHeteroskedastic ? abs(z1) * 1.2 + 0.2 : 1
      let x = 0.8 * z1 + 0.5 * z2 + 0.3 * w + confounder + 0.5 * generator.normal()
      let y = 1 + 0.5 * x - w + spread * (confounder + generator.normal())
      for (index, value) in [y, x, z1, z2, w].enumerated() { columns[index].append(value) }
    }
    return try InstrumentalModel(
      outcome: Variable(name: "y", values: columns[0]),
      endogenous: [Variable(name: "x", values: columns[1])],
      instruments: [
        Variable(name: "z1", values: columns[2]), Variable(name: "z2", values: columns[3]),
      ], exogenous: [Variable(name: "w", values: columns[4])])
  }

  /// Of 2,000 intervals 95 % cover the truth, give or take four standard errors of that share.
  @Test(
    "Intervals cover in simulations",
    arguments: [
      (CovarianceType.unadjusted, false), (CovarianceType.robust, false),
      (CovarianceType.robust, true),
    ])
  func intervalsCover(covariance: CovarianceType, isHeteroskedastic: Bool) throws {
    var generator = SplitMix64(state: 11)
    let rounds = 2_000
    var covered = 0
    var ordinaryCovered = 0
    var rejectedValid = 0
    for _ in 0..<rounds {
      let model = try sample(&generator, rows: 400, isHeteroskedastic: isHeteroskedastic)
      let result = try TwoStageLeastSquares(model, covariance: covariance)
      let index = try #require(result.estimates.index(of: "x"))
      if result.estimates.confidenceIntervals[index].contains(0.5) { covered += 1 }
      if result.ordinary.confidenceIntervals[index].contains(0.5) { ordinaryCovered += 1 }
      if case .statistic(_, _, let p) = result.sargan, p < 0.05 { rejectedValid += 1 }
    }
    let share = Double(covered) / Double(rounds)
    #expect(abs(share - 0.95) < 4 * (0.95 * 0.05 / Double(rounds)).squareRoot(), "\(share)")
    #expect(Double(ordinaryCovered) / Double(rounds) < 0.1)
    if !isHeteroskedastic {
      let size = Double(rejectedValid) / Double(rounds)
      #expect(abs(size - 0.05) < 4 * (0.95 * 0.05 / Double(rounds)).squareRoot(), "\(size)")
    }
  }
}
