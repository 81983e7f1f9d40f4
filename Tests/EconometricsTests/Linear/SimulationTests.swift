import Autodiff
import Econometrics
import Testing

@Suite("Coverage of two-stage least squares")
struct SimulationTests {
  /// Samples with a confounder, two instruments and errors whose variance depends on the
  /// instrument if `isHeteroskedastic`; the true coefficient of x is 0.5.
  private func sample(
    _ generator: inout PhiloxGenerator, rows: Int, isHeteroskedastic: Bool
  ) throws -> InstrumentalModel {
    let draws = Tensor.normal([6, rows], using: &generator)
    let (w, z1, z2, confounder) = (draws[0], draws[1], draws[2], draws[3])
    let spread = isHeteroskedastic ? abs(z1) * 1.2 + 0.2 : Tensor.ones([rows])
    let x = 0.8 * z1 + 0.5 * z2 + 0.3 * w + confounder + 0.5 * draws[4]
    let y = 1 + 0.5 * x - w + spread * (confounder + draws[5])
    return try InstrumentalModel(
      outcome: Variable(name: "y", y), endogenous: [Variable(name: "x", x)],
      instruments: [Variable(name: "z1", z1), Variable(name: "z2", z2)],
      exogenous: [Variable(name: "w", w)])
  }

  @Test(
    "Of 2,000 intervals 95 % cover the truth, give or take four standard errors of that share",
    arguments: [
      (CovarianceType.unadjusted, false), (CovarianceType.robust, false),
      (CovarianceType.robust, true),
    ])
  func intervalsCover(covariance: CovarianceType, isHeteroskedastic: Bool) throws {
    var generator = PhiloxGenerator(seed: 11)
    let rounds = 2_000
    var covered = 0
    var ordinaryCovered = 0
    var rejectedValid = 0
    for _ in 0..<rounds {
      let model = try sample(&generator, rows: 400, isHeteroskedastic: isHeteroskedastic)
      let result = try TwoStageLeastSquares(model, covariance: covariance)
      let index = try #require(result.estimates.index(of: "x"))
      if result.coefficients()[index].interval?.contains(0.5) == true { covered += 1 }
      if result.ordinary.coefficients()[index].interval?.contains(0.5) == true {
        ordinaryCovered += 1
      }
      if let p = result.sargan.pValue, p < 0.05 { rejectedValid += 1 }
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
