import Autodiff
import Econometrics
import Foundation
import Testing

@Suite("Results")
struct InstrumentalResultTests {
  private func json(_ result: some Encodable) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return try encoder.encode(result)
  }

  private func keys(_ data: Data) throws -> Set<String> {
    Set((try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]).keys)
  }

  private static let sampleKeys: Set<String> = [
    "data", "outcome", "endogenous", "instruments", "exogenous", "n", "droppedRows",
  ]

  @Test("Two-stage least squares has a summary and JSON that is read back as it was")
  func linear() throws {
    let model = try CardData.model()
    let result = try TwoStageLeastSquares(model, covariance: .unadjusted).result()
    #expect(abs((result.parameters["educ"] ?? 0) / 0.13150377546117 - 1) < 1e-9)
    for text in [
      "Two-stage least squares: lwage on educ, instrumented by nearc4", "n = 3,010", "educ *",
      "0.1315", "partial F(1, 2994) = 13.26", "Sargan: not available", "One unit more of educ",
    ] {
      #expect("\(result)".contains(text), "\(text)")
    }
    #expect(!"\(result)".contains("nonparametric"))
    let data = try json(result)
    #expect(
      try keys(data)
        == Self.sampleKeys.union([
          "constant", "covariance", "parameters", "standardErrors", "zStatistics", "pValues",
          "confidenceIntervals", "unavailable", "rSquared", "ordinaryLeastSquares", "firstStage",
          "diagnostics", "linearAlgebra",
        ]))
    let again = try JSONDecoder().decode(InstrumentalResult<LinearEstimates>.self, from: data)
    #expect(again.description == result.description)
    #expect(try json(again) == data)
  }

  @Test("What is withheld is null in JSON, and the summary says why")
  func withheld() throws {
    let result = try TwoStageLeastSquares(LinearDesign(strength: 0).model()).result()
    let object = try JSONSerialization.jsonObject(with: json(result)) as? [String: Any]
    #expect((object?["pValues"] as? [String: Any])?["t"] is NSNull)
    #expect((object?["standardErrors"] as? [String: Any])?["t"] is Double)
    #expect("\(result)".contains("Withheld: weak first stage of t: partial F ="))
  }

  @Test("An orthogonal regression has a summary and JSON that is read back")
  func orthogonal() throws {
    var regression = OrthogonalIV()
    regression.features = .polynomial(degree: 2)
    regression.learner = FirstStageLearner(.polynomial(degree: 2))
    let result = try regression.fit(try LinearDesign(count: 300).model()).result(level: 0.9)
    let data = try json(result)
    #expect(
      try keys(data).isSuperset(
        of: Self.sampleKeys.union([
          "features", "exogenousForm", "nuisances", "learner", "folds", "repeats", "seed",
          "duplicatedRows", "effects", "exogenousEffects", "firstStage", "outcomeRSquared",
          "conditioning", "twoStageLeastSquares", "curves", "warnings",
        ])))
    #expect("\(result)".contains("polynomial:2, s = (t − "))
    let again = try JSONDecoder().decode(InstrumentalResult<OrthogonalEstimates>.self, from: data)
    #expect(try json(again) == data)
    #expect(again.curves.first?.points.count == 60 && again.effects.level == 0.9)
  }

  @Test("A deep regression has a summary and JSON that is read back")
  func deep() throws {
    var settings = DeepIV()
    (settings.iterations, settings.innerSteps, settings.heldOut) = (3, 2, 0.5)
    let result = try settings.fit(try LinearDesign(count: 300).model()).result()
    let data = try json(result)
    #expect(
      try keys(data).isSuperset(
        of: Self.sampleKeys.union([
          "seed", "settings", "linearAlgebra", "innerLosses", "outerLosses", "averageEffects",
          "intervals", "warnings",
        ])))
    #expect("\(result)".contains("Few rows: n = 300, below 2,000"))
    let again = try JSONDecoder().decode(InstrumentalResult<DeepEstimates>.self, from: data)
    #expect(try json(again) == data)
    #expect(again.description == result.description)
  }
}
