import ExampleSupport
import Foundation
import HyperparameterProblems
import TensorFiles
import Testing

@Suite(" report") struct ReportTests {
  @Test("Slopes of powers") func slopesOfPowers() throws {
    let errors = [1, 0.1, 0.01, 1e-3]
    for power in [0.5, 1, 2] {
      let slope = try #require(
        logLogSlope(errors: errors, values: errors.map { 3 * pow($0, power) }))
      #expect(abs(slope - power) < 1e-12)
    }
    // A plateau of rounding bends the slope unless the floor takes it out.
    let plateau = [1, 1e-2, 1e-4, 1e-5]
    let floored = try #require(logLogSlope(errors: errors, values: plateau, floor: 1e-5))
    #expect(abs(floored - 2) < 1e-12)
    let bent = try #require(logLogSlope(errors: errors, values: plateau))
    #expect(bent < 1.8)
  }

  @Test("Slopes that do not exist") func slopesThatDoNotExist() {
    #expect(logLogSlope(errors: [1, 2], values: [1, 2]) == nil)
    #expect(logLogSlope(errors: [1, 1, 1], values: [1, 2, 3]) == nil)
    #expect(logLogSlope(errors: [1, 2, 3], values: [0, .nan, .infinity]) == nil)
    #expect(logLogSlope(errors: [0, 1, 2, -1], values: [1, 1, 1, 1]) == nil)
  }

  private func curve(
    _ name: String, seed: UInt64, constant: Double, power: Double
  ) -> EstimatorCurve {
    // Other errors for each seed, as paths of gradient descent have.
    let errors = (0...8).map { pow(10, -Double($0) / 2 - Double(seed) / 10) }
    return EstimatorCurve(
      name: name, seed: seed, errors: errors,
      hypergradientErrors: errors.map { constant * pow($0, power) }, hypergradientNorm: 1)
  }

  private var summaries: [EstimatorSummary] {
    let curves = (0..<3 as Range<UInt64>).flatMap { seed in
      let constant = Double(seed + 1)
      return [
        curve("plain", seed: seed, constant: constant, power: 1),
        curve("newton", seed: seed, constant: constant * constant, power: 2),
        curve("exact", seed: seed, constant: 0, power: 1),
      ]
    }
    return EstimatorSummary.summaries(
      curves, levels: [1, 0.1, 0.01, 1e-9], ratioError: 0.01, slopeLimit: 0.5)
  }

  @Test("Interpolation is exact for powers") func interpolationIsExactForPowers() throws {
    let plain = curve("plain", seed: 1, constant: 2, power: 1.5)
    let value = try #require(plain.value(at: 0.003))
    #expect(abs(value / (2 * pow(0.003, 1.5)) - 1) < 1e-12)
    #expect(plain.value(at: 2) == nil)
    #expect(plain.value(at: 1e-9) == nil)
    #expect(plain.value(at: plain.errors[0]) == plain.hypergradientErrors[0])
  }

  @Test("Summaries are medians over seeds") func summariesAreMediansOverSeeds() throws {
    let summaries = summaries
    #expect(summaries.map(\.name) == ["plain", "newton", "exact"])
    let newton = summaries[1]
    let slope = try #require(newton.slope)
    #expect(abs(slope - 2) < 1e-12)
    // At 0.01 the ratios are 0.01 · (1, 2, 3).
    let ratio = try #require(newton.constantRatio)
    #expect(abs(ratio - 0.02) < 1e-12)
    let range = try #require(newton.constantRatioRange)
    #expect(abs(range.lowerBound - 0.01) < 1e-12 && abs(range.upperBound - 0.03) < 1e-12)
    // Error 1 lies on the path of one seed of three only, and 10⁻⁹ on none.
    #expect(newton.levels.map(\.error) == [0.1, 0.01])
    let level = newton.levels[0]
    #expect(abs(level.lower - 0.025) < 1e-12)
    #expect(abs(level.median - 0.04) < 1e-12)
    #expect(abs(level.upper - 0.065) < 1e-12)
    #expect(summaries[2].isExact && !newton.isExact)
    #expect(summaries[2].slope == nil)
  }

  @Test("Tables and figures say slopes") func tablesAndFiguresSaySlopes() throws {
    let text = summaries.table(ratioError: 0.01)
    let lines = text.split(separator: "\n").map(String.init)
    #expect(lines[0].contains("error / plain"))
    #expect(
      lines.contains { $0.contains("newton") && $0.contains("2.00") && $0.contains("0.0200") })
    #expect(lines.contains { $0.contains("exact") && $0.contains("  0") })
    let svg = EstimatorFigure.figure(title: "t", subtitle: "s", of: summaries).svg()
    #expect(svg.contains("newton (slope 2.00)"))
    let kinds = ["plain": "Steps", "newton": "Steps", "exact": "Others"]
    let grouped = EstimatorFigure.figure(title: "t", subtitle: "s", of: summaries, kinds: kinds)
    #expect(grouped.panels.map(\.title) == ["Steps", "Others"])
    #expect(grouped.panels[0].yAxis.domain != nil)
    #expect(grouped.panels[0].yAxis.domain == grouped.panels[1].yAxis.domain)
    // The reference has one colour in all panels.
    let colors = grouped.panels.map { panel in
      panel.marks.first { $0.label?.hasPrefix("plain") == true }?.color
    }
    #expect(colors[0] != nil && colors[0] == colors[1])
    // A curve on another one is dashed.
    let same = summaries.prefix(2) + [summaries[1]]
    let dashes = EstimatorFigure.figure(title: "t", subtitle: "s", of: Array(same)).panels[0]
      .marks.filter { $0.label != nil }.map(\.isDashed)
    #expect(dashes == [false, false, true])
    #expect(svg.contains("exact (exact)"))
    #expect(!svg.contains("nan"))
    let csv = [curve("plain", seed: 4, constant: 2, power: 1)].csv
    let table = try CSVTable(parsing: csv.text)
    #expect(table.rowCount == 9)
    #expect(try table.numbers("seed")[0] == 4)
    #expect(try table.strings("estimator")[8] == "plain")
    let json = jsonText(summaries[1])
    #expect(json.contains("\"slopeRange\""))
  }
}
