import Econometrics
import Testing

// Reference values: linearmodels 7.1 (`IV2SLS`, robust and clustered, not adjusted for small samples)
// and statsmodels 0.14 (HC1 and clustered first stages with its corrections for small samples).

@Suite("Statistics that rounding, leverage or weak instruments make meaningless")
struct WithheldStatisticsTests {
  /// Sequences that are spread evenly over (−½, ½) and move apart from each other.
  private static func spread(_ step: Double, _ count: Int) -> [Double] {
    (0..<count).map { (Double($0 + 1) * step).truncatingRemainder(dividingBy: 1) - 0.5 }
  }

  private static let rows = 60
  private static let z = spread(0.618034, rows)
  private static let v = spread(0.754878, rows)
  private static let x = zip(z, v).map { 3 * $0 + $1 }
  private static let y = zip(zip(x, v), spread(0.569840, rows)).map { 1 + 2 * $0.0 - $0.1 + $1 }
  /// Ten clusters of six rows.
  private static let clusters = (0..<rows).map { $0 / 6 }

  private func model(
    y: [Double] = y, x: [Double] = x, instruments: [[Double]] = [z], exogenous: [[Double]] = [],
    clusters: [Int]? = nil
  ) throws -> InstrumentalModel {
    func named(_ name: String, _ columns: [[Double]]) -> [Variable] {
      columns.enumerated().map { Variable(name: "\(name)\($0)", values: $1) }
    }
    return try InstrumentalModel(
      outcome: Variable(name: "y", values: y), endogenous: [Variable(name: "x", values: x)],
      instruments: named("z", instruments), exogenous: named("w", exogenous), clusters: clusters)
  }

  private func indicator(_ isOne: (Int) -> Bool, _ count: Int = rows) -> [Double] {
    (0..<count).map { isOne($0) ? 1 : 0 }
  }

  // MARK: Rounding

  @Test(
    "A fit without error has no statistic that rounding would make",
    arguments: [CovarianceType.unadjusted, .robust])
  func exactFits(covariance: CovarianceType) throws {
    let w = Self.spread(0.31, Self.rows)
    let outcomes: [(values: [Double], reason: String)] = [
      (w.map { _ in 5 }, "does not vary"),
      // Two numbers that differ by rounding.
      (w.indices.map { $0 % 2 == 0 ? 0.3 : 0.1 + 0.2 }, "does not vary"),
      (w.map { 3 * $0 + 1 }, "reproduce the outcome exactly"),
      (zip(Self.x, w).map { 1e6 * $0 - 3 * $1 + 1e3 }, "reproduce the outcome exactly"),
    ]
    for (values, reason) in outcomes {
      let result = try TwoStageLeastSquares(
        model(y: values, instruments: [Self.z, Self.spread(0.43, Self.rows)], exogenous: [w]),
        covariance: covariance)
      for fit in [result.estimates, result.ordinary] {
        #expect(fit.standardErrors.allSatisfy { $0.isNaN })
        #expect(fit.coefficients().allSatisfy { $0.z == nil && $0.pValue == nil })
        #expect(fit.coefficients().allSatisfy { $0.interval == nil && $0.reason != nil })
        #expect(fit.unavailableReasons.allSatisfy { $0?.contains(reason) == true })
      }
      #expect(result.coefficients().allSatisfy { $0.standardError == nil && $0.pValue == nil })
      for test in [result.wuHausman, result.sargan] {
        #expect(test.statistic == nil && test.reason?.contains(reason) == true, "\(test)")
      }
      let isConstant = reason.contains("vary")
      #expect(result.estimates.rSquared.map { $0 > 1 - 1e-12 } ?? isConstant)
    }
  }

  @Test("Errors that are small beside the outcome are errors")
  func smallErrorsCount() throws {
    // y = 10⁶ + 10⁻³ (y₀), whose statistics are those of y₀.
    let small = try TwoStageLeastSquares(
      model(y: Self.y.map { 1e6 + 1e-3 * $0 }), covariance: .unadjusted
    ).estimates
    let plain = try TwoStageLeastSquares(model(), covariance: .unadjusted).estimates
    #expect(small.unavailableReasons.allSatisfy { $0 == nil })
    #expect(abs(small.standardErrors[1] / (1e-3 * plain.standardErrors[1]) - 1) < 1e-5)
  }

  // MARK: Leverage

  @Test("A robust first-stage F does not rest on a row of leverage one")
  func firstStageLeverage() throws {
    let n = 24
    let x = (0..<n).map { row -> Double in
      let base = Double((row * 7) % 11) / 4
      return row == 23 ? base + 2.5 : base
    }
    let y = (0..<n).map { Double(($0 * 5) % 7) / 2 }
    let groups = (0..<2).map { group in indicator({ $0 % 3 == group && $0 != 23 }, n) }
    let single = indicator({ $0 == 23 }, n)
    // Nearly one, where White's F would be 123.9.
    let nearly = (0..<n).map { row -> Double in
      row == 23 ? 1 : 1e-3 * Double((row * 5) % 7 - 3)
    }
    for (last, homoskedastic) in [(single, 5.259730133832335), (nearly, 5.204266747353792)] {
      let model = try model(y: y, x: x, instruments: groups + [last])
      let stage = try TwoStageLeastSquares(model, covariance: .robust).firstStages[0]
      #expect(stage.partialF == nil && stage.pValue == nil)
      #expect(
        stage.reason?.contains("row 24 of those used alone (leverage near 1)") == true)
      #expect(abs((stage.homoskedasticF ?? 0) / homoskedastic - 1) < 1e-9)
      #expect(abs(stage.strength(of: 1) / homoskedastic - 1) < 1e-9)
      #expect(stage.isWeak)
      let other = try TwoStageLeastSquares(model, covariance: .unadjusted).firstStages[0]
      #expect(abs((other.partialF ?? 0) / homoskedastic - 1) < 1e-9)
    }
    // The same row as a control leaves nothing of itself to the instruments.
    let control = try TwoStageLeastSquares(
      model(y: y, x: x, instruments: groups, exogenous: [single]), covariance: .robust)
    #expect(control.firstStages[0].partialF != nil)
  }

  @Test("A coefficient that rests on one row has no robust error; the others keep theirs")
  func secondStageLeverage() throws {
    let model = try model(exogenous: [indicator { $0 == 41 }])
    let result = try TwoStageLeastSquares(model, covariance: .robust)
    let fit = result.estimates
    let (constant, dummy, effect) = (0, 1, 2)
    #expect(fit.names == ["const", "w0", "x"])
    #expect(abs(fit.standardErrors[constant] / 0.051510012461670245 - 1) < 1e-9)
    #expect(abs(fit.standardErrors[effect] / 0.055421531018293675 - 1) < 1e-9)
    #expect(abs(fit.parameters[dummy] / 0.22535500630176566 - 1) < 1e-9)
    #expect(fit.standardErrors[dummy].isNaN && fit.unavailableReasons[effect] == nil)
    #expect(fit.unavailableReasons[dummy]?.contains("the estimate of w0 rests on row 42") == true)
    #expect(result.ordinary.standardErrors[dummy].isNaN)
    #expect(abs((result.firstStages[0].partialF ?? 0) / 497.75100872665087 - 1) < 1e-9)
    // For errors of equal variance the row says as much as any other.
    let equal = try TwoStageLeastSquares(model, covariance: .unadjusted).estimates
    #expect(equal.unavailableReasons.allSatisfy { $0 == nil })
  }

  @Test("Every coefficient that compares with a category of one row rests on that row")
  func baseCategory() throws {
    let dummies = (0..<3).map { group in indicator { $0 % 3 == group && $0 != 41 } }
    let fit = try TwoStageLeastSquares(model(exogenous: dummies), covariance: .robust).estimates
    #expect(fit.names == ["const", "w0", "w1", "w2", "x"])
    #expect(fit.standardErrors.prefix(4).allSatisfy { $0.isNaN } && fit.standardErrors[4] > 0)
  }

  // MARK: Clusters

  @Test("Clustered errors, but for what one cluster determines alone")
  func saturatedCluster() throws {
    let result = try TwoStageLeastSquares(
      model(exogenous: [Self.clusters.map { $0 == 4 ? 1 : 0 }], clusters: Self.clusters))
    let fit = result.estimates
    #expect(abs(fit.standardErrors[0] / 0.04041683464436 - 1) < 1e-9)
    #expect(abs(fit.standardErrors[2] / 0.053410225404463677 - 1) < 1e-9)
    #expect(fit.standardErrors[1].isNaN)
    #expect(fit.unavailableReasons[1]?.contains("1 cluster that determines") == true)
    let stage = result.firstStages[0]
    #expect(stage.degreesOfFreedom == [1, 9])
    #expect(abs((stage.partialF ?? 0) / 559.7472280621602 - 1) < 1e-9)
  }

  @Test("Clusters on Card's data, whatever the labels are")
  func cardByAge() throws {
    let model = try CardData.model(clusters: "age")
    let result = try TwoStageLeastSquares(model)
    let index = try #require(result.estimates.index(of: "educ"))
    #expect(abs(result.estimates.standardErrors[index] / 0.0489146178944989 - 1) < 1e-9)
    #expect(abs(result.estimates.standardErrors[0] / 0.8005600344348013 - 1) < 1e-9)
    #expect(abs(result.ordinary.standardErrors[index] / 0.003677425734732378 - 1) < 1e-9)
    #expect(abs((result.firstStages[0].partialF ?? 0) / 27.81481864045544 - 1) < 1e-9)
    let relabelled = try TwoStageLeastSquares(
      InstrumentalModel(
        outcome: model.outcome, endogenous: model.endogenous, instruments: model.instruments,
        exogenous: model.varyingExogenous, clusters: model.clusters?.map { 1000 - 7 * $0 }))
    let difference =
      relabelled.estimates.standardErrors[index]
      / result.estimates.standardErrors[index] - 1
    #expect(abs(difference) < 1e-12)
  }

  @Test("Too few clusters give no test of several instruments")
  func fewClusters() throws {
    let instruments = [Self.z, Self.spread(0.43, Self.rows), Self.spread(0.29, Self.rows)]
    let stage = try TwoStageLeastSquares(
      model(instruments: instruments, clusters: Self.clusters.map { $0 % 3 })
    ).firstStages[0]
    #expect(stage.partialF == nil && stage.homoskedasticF != nil)
    #expect(stage.reason?.contains("3 clusters") == true)
  }

  // MARK: Weak identification

  @Test("Below an F of 10 the estimate has an error but no z, p or interval")
  func weakInstruments() throws {
    let x = zip(Self.z, Self.v).map { 0.1 * $0 + $1 }
    let weak = try TwoStageLeastSquares(model(x: x), covariance: .unadjusted)
    #expect(weak.firstStages[0].isWeak && weak.strength < 10)
    for shown in weak.coefficients() {
      #expect(shown.standardError != nil)
      #expect(shown.z == nil && shown.pValue == nil && shown.interval == nil)
      #expect(shown.reason?.contains("weak first stage of x: partial F =") == true)
    }
    let strong = try TwoStageLeastSquares(model(), covariance: .unadjusted)
    #expect(strong.weaknessReason == nil)
    let shown = strong.coefficients(level: 0.9)[1]
    let half = 1.6448536269514722 * strong.estimates.standardErrors[1]
    #expect(abs((shown.interval?.upperBound ?? 0) - strong.estimates.parameters[1] - half) < 1e-12)
    #expect(shown.z == strong.estimates.parameters[1] / strong.estimates.standardErrors[1])
  }

  @Test("The limit itself is strong, and what is no number is weak")
  func limit() {
    #expect(!WeakIdentification.isWeak(10) && WeakIdentification.isWeak(9.999))
    #expect(WeakIdentification.isWeak(.nan) && !WeakIdentification.isWeak(.infinity))
  }
}
