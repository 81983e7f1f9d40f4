import Autodiff
import Bilevel
import Inference
import Orthogonal
import Testing

/// Scores and intervals against an independent implementation, with the same nuisances.
@Suite("Agreement with the reference") struct OrthogonalReferenceTests {
  private func quadratic() throws -> (AffineProblem, AffineNuisances, OrthogonalReference) {
    let reference = try OrthogonalReference("quadratic")
    let problem = try AffineProblem(
      inputs: reference["inputs"], innerIntercept: reference["innerIntercept"],
      innerSlope: reference["innerSlope"], outcome: reference["outcome"],
      outerSlope: reference["outerSlope"])
    let nuisances = AffineNuisances(
      intercept: reference["interceptNuisance"], slope: reference["slopeNuisance"],
      outcome: reference["outcomeNuisance"])
    return (problem, nuisances, reference)
  }

  @Test("Quadratic scores agree") func quadraticScoresAgree() throws {
    let (problem, nuisances, reference) = try quadratic()
    let estimate = try problem.fit(given: nuisances).hypergradient(at: reference["point"])
    #expect(discrepancy(estimate.value, reference["estimate"]) < 1e-12)
    #expect(discrepancy(estimate.standardErrors, reference["standardErrors"]) < 1e-12)
    let covariance = estimate.covariance * Double(problem.count)
    #expect(discrepancy(covariance, reference["scoreCovariance"]) < 1e-12)
    let intervals = estimate.intervals(level: 0.95)
    let half = 1.959963984540054 * reference["standardErrors"]
    #expect(discrepancy(intervals.lower, reference["estimate"] - half) < 1e-12)
    #expect(discrepancy(intervals.upper, reference["estimate"] + half) < 1e-12)
  }

  @Test("Tests and certificates agree") func testsAndCertificatesAgree() throws {
    let (problem, nuisances, reference) = try quadratic()
    let estimate = try problem.fit(given: nuisances).hypergradient(at: reference["point"])
    let joint = try #require(estimate.jointTest().value)
    let expected = reference["jointTest"].scalars
    #expect(abs(joint.statistic / expected[0] - 1) < 1e-10)
    #expect(Double(joint.degreesOfFreedom) == expected[1])
    #expect(abs(joint.pValue - expected[2]) < 1e-10)
    let bound = estimate.normBound(level: 0.95)
    #expect(abs(bound / reference["normBound"][0].scalar - 1) < 1e-10)
    let certificate = estimate.descentCertificate(along: estimate.value, level: 0.95)
    #expect(abs(certificate.lowerBound / reference["descent"][0].scalar - 1) < 1e-10)
  }

  @Test("Roots and baselines agree") func rootsAndBaselinesAgree() throws {
    let (problem, nuisances, reference) = try quadratic()
    let root = try problem.fit(given: nuisances).root()
    #expect(discrepancy(root.value, reference["root"]) < 1e-10)
    #expect(discrepancy(root.covariance, reference["rootCovariance"]) < 1e-10)
    let plugIn = try problem.fit(.plugIn, given: nuisances).hypergradient(at: reference["point"])
    #expect(discrepancy(plugIn.value, reference["plugIn"]) < 1e-12)
    #expect(discrepancy(plugIn.standardErrors, reference["plugInErrors"]) < 1e-12)
    let residual = try problem.fit(.residual, given: nuisances)
      .hypergradient(at: reference["point"])
    #expect(discrepancy(residual.value, reference["residual"]) < 1e-12)
  }

  /// The same numbers by differentiating the debiased value of the layer for any losses, with the
  /// nuisances as functions of ω.
  @Test("Quadratic layer agrees") func quadraticLayerAgrees() throws {
    let (problem, nuisances, reference) = try quadratic()
    let rows = Tensor.range(problem.count).expandingShape(at: 1)
    @Sendable func at(_ x: Tensor, _ values: Tensor) -> Tensor {
      values.gathering(x[0..., 0].cast(to: .int32), alongAxis: 0)
    }
    let layer = OBiGrad<Tensor, [Tensor], [Tensor]>.quadratic(
      nuisances: .kernelRidge(),
      innerTarget: { ω, _, y in y[0] + matmul(y[1], ω.expandingShape(at: 1)) },
      outerTarget: { _, _, y in y[2] },
      knownOuterTarget: { ω, x in
        matmul(at(x, problem.outerSlope), ω.expandingShape(at: 1))
      })
    @Sendable func column(_ tensor: Tensor) -> Tensor { tensor.expandingShape(at: 1) }
    let sample = FunctionalSample(
      inputs: rows,
      labels: [column(problem.innerIntercept), problem.innerSlope, column(problem.outcome)])
    @Sendable func prediction(_ ω: Tensor, _ x: Tensor) -> Tensor {
      at(x, column(nuisances.intercept)) + matmul(at(x, nuisances.slope), column(ω))
    }
    let fit = try layer.fit(on: BilevelSample(sample), prediction: prediction) { ω, x in
      at(x, column(nuisances.outcome)) + matmul(at(x, problem.outerSlope), column(ω))
        - prediction(ω, x)
    }
    let point = reference["point"]
    let estimate = try fit.hypergradient(at: point)
    #expect(discrepancy(estimate.value, reference["estimate"]) < 1e-12)
    #expect(discrepancy(estimate.standardErrors, reference["standardErrors"]) < 1e-12)
    let slope = try gradient(at: point) { ω in try fit.value(at: ω) }
    #expect(discrepancy(slope, reference["estimate"]) < 1e-12)
    let value = try fit.objective(at: point)
    #expect(abs(value.value[0].scalar - reference["value"][0].scalar) < 1e-12)
    #expect(abs(value.standardErrors[0].scalar - reference["value"][1].scalar) < 1e-12)
    let root = try fit.root(startingAt: point)
    #expect(discrepancy(root.value, reference["root"]) < 1e-9)
    #expect(discrepancy(root.covariance, reference["rootCovariance"]) < 1e-9)
  }

  @Test("Two sample scores agree") func twoSampleScoresAgree() throws {
    let reference = try OrthogonalReference("twoSample")
    let problem = try TwoSampleAffineProblem(
      innerInputs: reference["innerInputs"], innerIntercept: reference["innerIntercept"],
      innerSlope: reference["innerSlope"], outerInputs: reference["outerInputs"],
      outcome: reference["outcome"], densityRatio: .known(reference["ratio"]))
    let inner = AffineNuisances(
      intercept: reference["innerInterceptNuisance"], slope: reference["innerSlopeNuisance"],
      outcome: reference["innerOutcomeNuisance"])
    let outer = AffineNuisances(
      intercept: reference["outerInterceptNuisance"], slope: reference["outerSlopeNuisance"],
      outcome: Tensor.zeros([problem.outer.count]))
    let estimate = try problem.fit(given: inner, outer: outer)
      .hypergradient(at: Tensor([0.4, -1.1, 0.7]))
    #expect(discrepancy(estimate.value, reference["estimate"]) < 1e-12)
    #expect(discrepancy(estimate.covariance, reference["covariance"]) < 1e-12)
  }
}
