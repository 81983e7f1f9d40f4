import Autodiff
import Econometrics
import TestSupport
import Testing

// Reference values: linearmodels 7.1, `IV2SLS(..., weights=w)` with `debiased=False`.

@Suite("Weighted two-stage least squares")
struct WeightsTests {
  /// Sequences that are spread evenly over (−½, ½) and move apart from each other.
  private static func spread(_ step: Double) -> [Double] {
    (0..<60).map { (Double($0 + 1) * step).truncatingRemainder(dividingBy: 1) - 0.5 }
  }

  private func model(
    instruments steps: [Double] = [0.618034],
    weights: [Double]? = (0..<60).map { 1 + Double($0 % 4) },
    clusters: [Int]? = nil, rows: [Int] = Array(0..<60)
  ) throws -> InstrumentalModel {
    let (z, v, e) = (Self.spread(0.618034), Self.spread(0.754878), Self.spread(0.569840))
    func column(_ name: String, _ value: (Int) -> Double) -> Variable {
      Variable(name: name, values: rows.map(value))
    }
    return try InstrumentalModel(
      outcome: column("y") { 1 + 2 * (3 * z[$0] + v[$0]) - v[$0] + e[$0] },
      endogenous: [column("x") { 3 * z[$0] + v[$0] }],
      instruments: steps.enumerated().map { index, step in
        let values = Self.spread(step)
        return column("z\(index)") { values[$0] }
      }, weights: weights, clusters: clusters)
  }

  @Test(
    "Estimates and errors are those of linearmodels",
    arguments: [
      (CovarianceType.unadjusted, false, [0.049826959594123456, 0.05863549310571679]),
      (.robust, false, [0.05264986302694538, 0.05447178600663107]),
      (.robust, true, [0.04424207944817782, 0.051375212659940266]),
    ])
  func reference(covariance: CovarianceType, isClustered: Bool, errors: [Double]) throws {
    let model = try model(clusters: isClustered ? (0..<60).map { $0 / 6 } : nil)
    let fit = try TwoStageLeastSquares(model, covariance: covariance)
    #expect(agree(fit.estimates.parameters, [1.126347885254948, 2.0219731362432536], to: 1e-11))
    #expect(agree(fit.estimates.standardErrors, errors, to: 1e-10))
    #expect(agrees(fit.estimates.rSquared ?? 0, 0.9519868708209793, to: 1e-11))
    #expect(agree(fit.ordinary.parameters, [1.1168096195858555, 1.9389980245826461], to: 1e-11))
    #expect(agrees(fit.firstStages[0].homoskedasticF ?? 0, 645.1974148381912, to: 1e-10))
    #expect(agrees(fit.wuHausman.statistic ?? 0, 41.2620, to: 1e-5))
  }

  @Test("Tests of more instruments than are needed are those of linearmodels")
  func overidentified() throws {
    let fit = try TwoStageLeastSquares(
      model(instruments: [0.618034, 0.43]), covariance: .unadjusted)
    #expect(agree(fit.estimates.parameters, [1.1265329091471394, 2.023582692807001], to: 1e-11))
    #expect(agrees(fit.sargan.statistic ?? 0, 32.531417546117765, to: 1e-9))
    #expect(agrees(fit.sargan.pValue ?? 0, 1.1728116386737762e-08, to: 1e-7))
    #expect(agrees(fit.wuHausman.statistic ?? 0, 44.15167225165426, to: 1e-9))
  }

  @Test("A weight of three is the row three times, and only ratios of weights count")
  func copies() throws {
    let weights = (0..<60).map { Double(1 + $0 % 3) }
    let weighted = try TwoStageLeastSquares(model(weights: weights)).estimates
    let scaled = try TwoStageLeastSquares(model(weights: weights.map { 7 * $0 })).estimates
    let rows = (0..<60).flatMap { row in Array(repeating: row, count: 1 + row % 3) }
    let copied = try TwoStageLeastSquares(model(weights: nil, clusters: rows, rows: rows)).estimates
    #expect(agree(weighted.parameters, copied.parameters, to: 1e-12))
    #expect(agree(weighted.standardErrors, copied.standardErrors, to: 1e-10))
    #expect(agree(scaled.standardErrors, weighted.standardErrors, to: 1e-12))
  }
}
