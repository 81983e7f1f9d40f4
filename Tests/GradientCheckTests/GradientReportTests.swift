import Autodiff
import Foundation
import GradientCheck
import Testing

@Suite("Reports of gradient checks") struct GradientReportTests {
  let x = Tensor([0.3, -1.2, 0.7])

  /// A derivative that is wrong by its own size at element 1.
  func wrong(_ x: Tensor) -> Tensor { x * select(mask, stopGradient(x), x) }
  let mask = Tensor(mask: [false, true, false])

  @Test("One line on success") func oneLineOnSuccess() {
    let report = checkGradients(at: x, named: "sine", options: GradientCheckOptions(seed: 7)) {
      sin($0)
    }
    let text = "\(report)"
    #expect(text.hasPrefix("Gradient check passed: sine, order 2: "))
    #expect(text.contains("3 inputs and 3 outputs"))
    #expect(text.hasSuffix("seed 7"))
    #expect(!text.contains("\n"))
  }

  @Test("Failure names the place of the call") func failureNamesThePlaceOfTheCall() {
    let line = #line + 2
    do {
      try requireGradients(at: x, named: "product") { wrong($0) }
      Issue.record("a wrong derivative passed")
    } catch {
      let text = "\(error)"
      #expect(text.hasPrefix("GradientCheckTests/GradientReportTests.swift:\(line): "))
      #expect(text.contains("argument 0 [3], reverse mode, disagrees: 1 of 3 elements"))
      #expect(text.contains("derivatives by an argument are those of ⟨u, f⟩"))
      #expect((error as? GradientCheckFailure)?.report.outcome == .failed)
    }
  }

  @Test("Values of a scalar function are its gradient") func valuesOfAScalarFunctionAreItsGradient()
    throws
  {
    let report = checkGradients(at: x) { wrong($0).sum() }
    let worst = try #require(report.disagreements.first { $0.check == .reverse })
    #expect(worst.index == [1])
    #expect(worst.analytic == -1.2)
    #expect((worst.numeric + 2.4).magnitude < 1e-9)
    #expect(worst.relativeDifference > 0.49)
    #expect(!"\(report)".contains("⟨u, f⟩"))
  }

  @Test("Worst first") func worstFirst() {
    let report = checkGradients(at: x, options: GradientCheckOptions(order: 1)) { x in
      stopGradient(x) * square(x)
    }
    let ratios = report.disagreements.map(\.ratio)
    #expect(ratios.count > 3)
    #expect(ratios == ratios.sorted(by: >))
  }

  @Test("Says what passed and what was not checked") func saysWhatPassedAndWhatWasNotChecked() {
    let report = checkGradients(at: x) { wrong($0) }
    #expect("\(report)".contains("passed: determinism, traced value, structure"))
    #expect("\(report)".contains("not checked, because an earlier check failed: forward over"))
  }

  @Test("Long tables are cut") func longTablesAreCut() {
    let many = Tensor.linearSpace(from: 1, to: 2, count: 50)
    let report = checkGradients(at: many, options: GradientCheckOptions(order: 1)) { x in
      x * stopGradient(x)
    }
    #expect("\(report)".contains("disagrees: 50 of 50 elements"))
    #expect("\(report)".contains("… and 40 more"))
  }

  @Test("Encodes to JSON") func encodesToJSON() throws {
    let report = checkGradients(at: x) { wrong($0) }
    let data = try JSONEncoder().encode(report)
    #expect(try JSONDecoder().decode(GradientReport.self, from: data) == report)
  }
}
