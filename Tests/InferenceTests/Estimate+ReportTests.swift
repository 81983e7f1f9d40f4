import Autodiff
import Foundation
import Inference
import TestSupport
import Testing

@Suite("Reports of estimates") struct EstimateReportTests {
  private func roundTrip(_ report: Estimate.Report) throws -> Estimate.Report {
    try JSONDecoder().decode(Estimate.Report.self, from: JSONEncoder().encode(report))
  }

  @Test("A report holds what the estimate says") func contents() throws {
    let mean = try sampleMean(
      mixedRows(30, 2, seed: 1), names: ["a", "b"], clusters: (0..<30).map { $0 / 2 })
    let report = mean.report(level: 0.9)
    #expect(report.names == ["a", "b"])
    #expect(report.values == mean.value.scalars)
    #expect(report.standardErrors == mean.standardErrors.scalars)
    #expect(report.lower == mean.intervals(level: 0.9).lower.scalars)
    #expect(report.intervalKind == .pointwise)
    #expect(report.covariance.map { Tensor(rows: $0).isBitwiseEqual(to: mean.covariance) } == true)
    #expect(report.jointTest == mean.jointTest())
    #expect(report.normBound.value == mean.normBound(level: 0.9))
    #expect(report.samples[0].rows == 30 && report.samples[0].clusters == 15)
    let decoded = try roundTrip(report)
    #expect(decoded == report)
  }

  @Test("What is unavailable survives JSON") func whatIsUnavailableSurvivesJSON() throws {
    let mean = try sampleMean(Tensor(rows: [[1, 5], [2, 5], [4, 5]]), names: ["a", "b"])
    let report = mean.report()
    #expect(report.zStatistics[1] == nil && report.pValues[1] == nil)
    #expect(report.jointTest.unavailableReason == "b has no variance but is off its null by 5")
    let decoded = try roundTrip(report)
    #expect(decoded == report)
    let json = String(decoding: try JSONEncoder().encode(report.jointTest), as: UTF8.self)
    #expect(json == #"{"unavailable":"b has no variance but is off its null by 5"}"#)
  }

  @Test("Many coordinates are not decomposed") func manyCoordinatesAreNotDecomposed() throws {
    let mean = try sampleMean(normal([10, 501], seed: 2))
    let report = mean.report()
    #expect(report.covariance == nil)
    #expect(report.jointTest.unavailableReason?.contains("call jointTest()") == true)
    #expect(report.normBound.unavailableReason?.contains("501 coordinates") == true)
  }

  @Test("Intervals of another estimate stop") func intervalsOfAnotherEstimateStop() async {
    await #expect(processExitsWith: .failure) {
      let mean = try sampleMean(normal([5, 2], seed: 1))
      _ = mean.report(intervals: mean.selected([0]).intervals())
    }
  }

  @Test("What is withheld is null in JSON, and survives it")
  func withheldStatistics() throws {
    let mean = try sampleMean(mixedRows(30, 2, seed: 1), names: ["a", "b"])
    let report = mean.report(withholdingBecause: "it is weak")
    #expect(report.values == mean.value.scalars && report.withheldReason == "it is weak")
    #expect(report.standardErrors == [.infinity, .infinity] && report.covariance == nil)
    #expect(report.zStatistics == [nil, nil] && report.pValues == [nil, nil])
    #expect(report.lower == [-.infinity, -.infinity] && report.upper == [.infinity, .infinity])
    #expect(report.jointTest.unavailableReason == "it is weak")
    #expect(report.normBound.unavailableReason == "it is weak")
    let decoded = try roundTrip(report)
    #expect(decoded == report)
    let json = try JSONSerialization.jsonObject(with: JSONEncoder().encode(report))
    for key in ["standardErrors", "lower", "upper", "pValues"] {
      let values = (json as? [String: Any])?[key] as? [Any]
      #expect(values?.count == 2 && values?.allSatisfy { $0 is NSNull } == true, "\(key)")
    }
    #expect(mean.report().withheldReason == nil)
    let text = mean.summary(withholdingBecause: "it is weak")
    #expect(text.contains("Withheld: it is weak.") && !text.contains("P>|z| tests"))
    #expect(text.contains("not available: it is weak"))
  }
}
