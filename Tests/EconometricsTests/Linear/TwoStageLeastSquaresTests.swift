import Econometrics
import Testing

// Reference values: linearmodels 7.1, `IV2SLS(...).fit(cov_type=...)` on the same file; the partial
// F statistics with n - k degrees of freedom by least squares in NumPy, since linearmodels' divide
// by n.

private func expectClose(
  _ value: Double?, _ reference: Double, _ tolerance: Double = 1e-9,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  let isClose = value.map { abs($0 - reference) <= tolerance * abs(reference) } ?? false
  #expect(
    isClose, "\(String(describing: value)) against \(reference)", sourceLocation: sourceLocation)
}

extension LinearFit {
  fileprivate func parameter(_ name: String) -> Double? { index(of: name).map { parameters[$0] } }
  fileprivate func error(_ name: String) -> Double? { index(of: name).map { standardErrors[$0] } }
}

@Suite("Two-stage least squares")
struct TwoStageLeastSquaresTests {
  @Test("Card's return to schooling")
  func card() throws {
    let model = try CardData.model(endogenous: ["educ"], instruments: ["nearc4"])
    let result = try TwoStageLeastSquares(model, covariance: .unadjusted)
    #expect(model.observationCount == 3010)
    expectClose(result.estimates.parameter("educ"), 0.13150377546117)
    expectClose(result.estimates.parameter("const"), 3.6661519003101)
    expectClose(result.estimates.parameter("expersq"), -0.0023349374292536)
    expectClose(result.estimates.error("educ"), 0.054817390380404)
    expectClose(result.estimates.error("const"), 0.92236815768595)
    expectClose(result.estimates.error("exper"), 0.023595605345389)
    expectClose(result.estimates.rSquared, 0.238165646877)
    let educ = try #require(result.estimates.index(of: "educ"))
    let shown = result.coefficients()[educ]
    expectClose(shown.z, 2.39894264482)
    expectClose(shown.pValue, 0.0164424899255)
    expectClose(shown.interval?.lowerBound, 0.02406366, 1e-6)
    expectClose(shown.interval?.upperBound, 0.23894389, 1e-6)

    let stage = try #require(result.firstStages.first)
    #expect(stage.degreesOfFreedom == [1, 2994])
    expectClose(stage.partialF, 13.25578533058)
    expectClose(stage.pValue, 0.00027634008573)
    expectClose(stage.partialRSquared, 0.004407934102326)
    expectClose(stage.conditionalF, 13.25578533058)
    expectStatistic(result.wuHausman, 1.167643196751, [1, 2993], 0.279973091627)
    #expect(result.sargan.reason?.contains("just identified") == true)
  }

  @Test("The same with robust standard errors")
  func cardRobust() throws {
    let model = try CardData.model(endogenous: ["educ"], instruments: ["nearc4"])
    let result = try TwoStageLeastSquares(model, covariance: .robust)
    expectClose(result.estimates.parameter("educ"), 0.13150377546117)
    expectClose(result.estimates.error("educ"), 0.053999521432305)
    expectClose(result.estimates.error("const"), 0.90853545242312)
    // linearmodels reports the Wald statistic with HC0; F is that times (n - k) / n per instrument.
    expectClose(result.firstStages.first?.partialF, 14.2142274348933 * 2994 / 3010)
    expectStatistic(result.wuHausman, 1.167643196751, [1, 2993], 0.279973091627)
  }

  @Test(
    "More instruments than are needed",
    arguments: [
      (CovarianceType.unadjusted, 0.052438308566069, 0.88255665255305, 7.893095911195),
      (
        CovarianceType.robust, 0.052412689281457, 0.88192540973135,
        16.7324517002373 / 2 * 2993 / 3010
      ),
    ])
  func overIdentified(
    covariance: CovarianceType, error: Double, constantError: Double, partialF: Double
  ) throws {
    let model = try CardData.model(endogenous: ["educ"], instruments: ["nearc2", "nearc4"])
    let result = try TwoStageLeastSquares(model, covariance: covariance)
    expectClose(result.estimates.parameter("educ"), 0.15705932727724)
    expectClose(result.estimates.error("educ"), error)
    expectClose(result.estimates.error("const"), constantError)
    expectClose(result.estimates.rSquared, 0.170202459378)
    expectClose(result.firstStages.first?.partialF, partialF)
    expectClose(result.firstStages.first?.partialRSquared, 0.005246697776431)
    expectStatistic(result.wuHausman, 2.925642258137, [1, 2993], 0.0872861592473)
    expectStatistic(result.sargan, 1.248155389617, [1], 0.26390508051)
  }

  @Test("Two endogenous variables, just identified")
  func twoEndogenousVariables() throws {
    let model = try CardData.model(
      endogenous: ["educ", "KWW"], instruments: ["nearc4", "fatheduc"])
    let result = try TwoStageLeastSquares(model, covariance: .unadjusted)
    #expect(model.observationCount == 2288)
    expectClose(result.estimates.parameter("educ"), 0.071823376680238)
    expectClose(result.estimates.parameter("KWW"), 0.0051832701242925)
    expectClose(result.estimates.error("educ"), 0.13029582783777)
    expectClose(result.estimates.error("KWW"), 0.036442833173081)
    expectClose(result.firstStages[0].partialF, 105.3060863773)
    expectClose(result.firstStages[1].partialF, 90.33101137794)
    // Each alone is strong, both together are not (NumPy, by the definition).
    expectClose(result.firstStages[0].conditionalF, 2.34545857468)
    expectClose(result.firstStages[1].conditionalF, 2.34113639171)
    expectStatistic(result.wuHausman, 0.1061860595641, [2, 2269], 0.899261785551, 1e-7)
  }

  @Test("Two endogenous variables with an instrument to spare, robust")
  func twoEndogenousVariablesOverIdentifiedRobust() throws {
    let model = try CardData.model(
      endogenous: ["educ", "KWW"], instruments: ["nearc2", "nearc4", "fatheduc"])
    let result = try TwoStageLeastSquares(model, covariance: .robust)
    expectClose(result.estimates.parameter("educ"), 0.011960026257421)
    expectClose(result.estimates.error("educ"), 0.12563225225304)
    expectClose(result.estimates.error("KWW"), 0.035232158232278)
    expectClose(result.firstStages[0].partialF, 187.3536098330861 / 3 * 2270 / 2288)
    expectClose(result.firstStages[1].partialF, 171.4952460310005 / 3 * 2270 / 2288)
    expectClose(result.firstStages[0].conditionalF, 1.24100735131)
    expectClose(result.firstStages[1].conditionalF, 1.23862432488)
    expectStatistic(result.wuHausman, 0.238661544202, [2, 2269], 0.78770120347, 1e-7)
    expectStatistic(result.sargan, 3.637539251614, [1], 0.0564903698473)
  }

  @Test("Without a constant")
  func withoutConstant() throws {
    let model = try CardData.model(
      endogenous: ["educ"], instruments: ["nearc2", "nearc4"],
      exogenous: ["exper", "black", "south"], addsConstant: false)
    let result = try TwoStageLeastSquares(model, covariance: .unadjusted)
    expectClose(result.estimates.parameter("educ"), 0.36291491553617)
    expectClose(result.estimates.error("educ"), 0.0026847844126616)
    expectClose(result.estimates.rSquared, 0.98833915768)
    expectClose(result.firstStages.first?.partialF, 970.9099368359)
    expectStatistic(result.wuHausman, 61.68574131868, [1, 3005], 5.56152771926e-15)
    expectStatistic(result.sargan, 1.360253742051, [1], 0.243493510725)
  }

  @Test("Without any exogenous variable")
  func withoutAnyExogenousVariable() throws {
    let model = try CardData.model(
      endogenous: ["educ"], instruments: ["nearc2", "nearc4"], exogenous: [], addsConstant: false)
    let result = try TwoStageLeastSquares(model, covariance: .unadjusted)
    expectClose(result.estimates.parameter("educ"), 0.46754236180088)
    expectClose(result.estimates.error("educ"), 0.0018856666925298)
    expectClose(result.estimates.rSquared, 0.964029116676)
    expectClose(result.firstStages.first?.partialF, 3933.68372528)
    expectStatistic(result.wuHausman, 153.1063054584, [1, 3008], 2.45047008301e-34)
    expectStatistic(result.sargan, 4.282173593436, [1], 0.03851406664)
  }

  @Test("Rows with missing values are left out")
  func missingValues() throws {
    let model = try CardData.model(
      endogenous: ["educ"], instruments: ["fatheduc", "motheduc"], exogenous: ["exper", "black"])
    let result = try TwoStageLeastSquares(model, covariance: .robust)
    #expect(model.observationCount == 2220)
    expectClose(result.estimates.parameter("educ"), 0.12455577837974)
    expectClose(result.estimates.error("educ"), 0.012932868809108)
    expectStatistic(result.wuHausman, 13.03527504927, [1, 2215], 0.000312467920355)
  }

  /// Experience is age less schooling less six in these data, so with age as instrument a
  /// combination of the endogenous variables is reproduced exactly.
  @Test("A degenerate Wu–Hausman test says why")
  func degenerateWuHausmanSaysWhy() throws {
    let model = try CardData.model(
      endogenous: ["educ", "exper"], instruments: ["nearc4", "age"],
      exogenous: CardData.controls.filter { !$0.hasPrefix("exper") })
    let result = try TwoStageLeastSquares(model, covariance: .unadjusted)
    expectClose(result.estimates.parameter("educ"), 0.12307057805492)
    expectClose(result.estimates.error("educ"), 0.046189926076884)
    #expect(result.wuHausman.reason?.contains("linearly dependent") == true)
  }

  private func expectStatistic(
    _ result: TestResult, _ statistic: Double, _ degrees: [Int], _ p: Double,
    _ tolerance: Double = 1e-8, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(result.degreesOfFreedom == degrees, sourceLocation: sourceLocation)
    expectClose(result.statistic, statistic, tolerance, sourceLocation: sourceLocation)
    expectClose(result.pValue, p, tolerance * 10, sourceLocation: sourceLocation)
  }
}
