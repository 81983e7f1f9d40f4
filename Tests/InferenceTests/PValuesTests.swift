import Autodiff
import Inference
import TestSupport
import Testing

/// An estimate of independent coordinates with standard errors 1 and given z statistics.
private func estimate(z: [Double]) throws -> Estimate {
  // Columns of a Hadamard matrix without the constant one: orthogonal, of mean 0.
  let size = 16
  let rows = (0..<size).map { row in
    (1...z.count).map { column in (row & column).nonzeroBitCount % 2 == 0 ? 1.0 : -1 }
  }
  let scale = Double(size - 1).squareRoot()
  return try Estimate(
    value: Tensor(z), names: z.indices.map { "x\($0)" },
    influence: [InfluenceRows(scale * Tensor(rows: rows), sample: SampleIdentity(name: "s"))])
}

@Suite("p-values") struct PValuesTests {
  @Test("Z statistics and p-values") func zStatisticsAndPValues() throws {
    let estimate = try estimate(z: [1.96, -2.5, 0])
    #expect(agree(estimate.standardErrors.scalars, [1, 1, 1]))
    #expect(agree(estimate.zStatistics().scalars, [1.96, -2.5, 0]))
    #expect(
      agree(
        estimate.pValues().scalars, [2 * 0.0249978951482204362, 0.01241933065155228, 1]))
    let shifted = estimate.zStatistics(null: Tensor([1.96, 0, 1])).scalars
    #expect(agree(shifted, [0, -2.5, -1]))
  }

  /// p = 0.01, 0.02, 0.03, 0.5 and the adjustments by hand.
  @Test("Bonferroni and Holm") func bonferroniAndHolm() throws {
    let p = [0.03, 0.01, 0.5, 0.02]
    let estimate = try estimate(z: p.map { NormalDistribution.quantile($0 / 2) })
    let bonferroni = estimate.adjustedPValues(.bonferroni).scalars
    #expect(agree(bonferroni, [0.12, 0.04, 1, 0.08]))
    // 4 × 0.01, 3 × 0.02, 2 × 0.03, 1 × 0.5.
    let holm = estimate.adjustedPValues(.holm).scalars
    #expect(agree(holm, [0.06, 0.04, 0.5, 0.06]))
  }

  @Test("Holm is monotone") func holmIsMonotone() throws {
    let p = [0.02, 0.021, 0.9]
    let estimate = try estimate(z: p.map { NormalDistribution.quantile($0 / 2) })
    // 2 × 0.021 is less than 3 × 0.02.
    #expect(agree(estimate.adjustedPValues(.holm).scalars, [0.06, 0.06, 0.9]))
  }

  @Test("Romano–Wolf p-values are those of step-down maxima") func romanoWolf() throws {
    let z = [2.4, -1.1, 2.6, 0.3, 1.9]
    let data = normal([60, 1], seed: 3) + 0.5 * normal([60, 5], seed: 4)
    let mean = try sampleMean(data)
    let estimate = try Estimate(
      value: Tensor(z) * mean.standardErrors, names: mean.names, influence: mean.influence)
    let bootstrap = MultiplierBootstrap(draws: 4000, seed: 5)
    let romanoWolf = estimate.adjustedPValues(.romanoWolf(bootstrap)).scalars
    let bonferroni = estimate.adjustedPValues(.bonferroni).scalars
    let single = estimate.pValues().scalars
    for k in z.indices {
      #expect(romanoWolf[k] <= bonferroni[k])
      // Monte Carlo error: 4 standard errors of a share of draws.
      #expect(romanoWolf[k] >= single[k] - 4 * (single[k] / 4000).squareRoot())
    }
    let order = z.indices.sorted { abs(z[$0]) > abs(z[$1]) }
    let ordered = order.map { romanoWolf[$0] }
    #expect(ordered == ordered.sorted())

    // The first step is the share of draws whose maximum reaches the statistic.
    let count = bootstrap.maxima(of: estimate).count { $0 >= estimate.zStatistics().scalars[2] }
    #expect(romanoWolf[2] == Double(count + 1) / 4001)
  }

  /// Independent coordinates: the last step involves one coordinate, the first all.
  @Test("Romano–Wolf of independent coordinates") func romanoWolfOfIndependentCoordinates() throws {
    let mean = try sampleMean(normal([400, 3], seed: 6))
    let estimate = try Estimate(
      value: Tensor([2.2, 1.5, 2.0]) * mean.standardErrors, names: mean.names,
      influence: mean.influence)
    let bootstrap = MultiplierBootstrap(draws: 10_000, seed: 7)
    let found = estimate.adjustedPValues(.romanoWolf(bootstrap)).scalars
    let single = estimate.pValues().scalars
    func sidak(_ p: Double, _ count: Int) -> Double {
      1 - (0..<count).reduce(1.0) { product, _ in product * (1 - p) }
    }
    #expect(abs(found[0] - sidak(single[0], 3)) < 0.015)
    #expect(abs(found[2] - sidak(single[2], 2)) < 0.015)
    #expect(abs(found[1] - single[1]) < 0.015)
  }

  @Test("Coordinates without variance") func coordinatesWithoutVariance() throws {
    let mean = try sampleMean(Tensor(rows: [[1, 5], [2, 5], [4, 5]]))
    #expect(mean.zStatistics().scalars[1].isNaN)
    #expect(mean.pValues().scalars[1].isNaN)
    let bootstrap = MultiplierBootstrap(draws: 100, seed: 1)
    for method in [
      MultiplicityAdjustment.bonferroni, .holm, .romanoWolf(bootstrap),
    ] {
      let adjusted = mean.adjustedPValues(method).scalars
      #expect(adjusted[1].isNaN)
      #expect(adjusted[0].isFinite)
    }
    // It is not counted.
    #expect(mean.adjustedPValues(.bonferroni).scalars[0] == mean.pValues().scalars[0])
    let none = (mean - mean).adjustedPValues(.romanoWolf(bootstrap)).scalars
    #expect(none.allSatisfy { $0.isNaN })
  }

  @Test("Wrong null stops") func wrongNullStops() async {
    await #expect(processExitsWith: .failure) {
      _ = try sampleMean(normal([5, 2], seed: 1)).pValues(null: Tensor(0))
    }
  }
}
