import Econometrics
import ExampleSupport
import Foundation
import RegressionInput

/// The results of `linear` for a reader without a manual.
struct LinearSummary {
  private let specification: RegressionSpecification
  private let report: LinearReport
  private let result: TwoStageLeastSquares

  init(
    _ specification: RegressionSpecification, _ report: LinearReport, _ result: TwoStageLeastSquares
  ) {
    self.specification = specification
    self.report = report
    self.result = result
  }

  func text() -> String {
    [heading, coefficients, comparison, nonparametric, firstStages, tests, interpretation]
      .joined(separator: "\n\n")
  }

  private var heading: String {
    let spread =
      report.covariance == .robust
      ? "robust to errors of any variance (HC0)" : "for errors of equal variance"
    let dropped =
      report.droppedRows == 0
      ? "none dropped for missing values"
      : "\(Numbers.count(report.droppedRows)) dropped for missing values in used columns"
    return """
      Two-stage least squares: \(report.outcome) on \(list(report.endogenous)), \
      instrumented by \(list(report.instruments))
        data             \(report.data)
        rows             n = \(Numbers.count(report.n)), \(dropped)
        standard errors  \(spread), not adjusted for small samples
        R²               \(report.rSquared.map { Numbers.fixed($0, decimals: 4) } ?? none)
      """
  }

  private var none: String { "not available: \(report.outcome) does not vary" }

  private var coefficients: String {
    var table = TextTable(header: ["", "estimate", "std. error", "z", "p", "95 % interval"])
    let (fit, statistics) = (result.estimates, result.statistics())
    // The endogenous variables, which the regression is about, come first.
    let exogenousCount = result.model.exogenous.count
    let order = Array(exogenousCount..<fit.names.count) + Array(0..<exogenousCount)
    var reasons: [String] = []
    for index in order {
      let shown = statistics[index]
      table.append([
        fit.names[index] + (index >= exogenousCount ? " *" : ""),
        Numbers.significant(fit.parameters[index]),
        shown.standardError.map { Numbers.significant($0) } ?? withheld,
        shown.z.map { Numbers.fixed($0, decimals: 2) } ?? withheld,
        shown.pValue.map(Numbers.pValue) ?? withheld,
        shown.interval.map {
          "[\(Numbers.significant($0.lowerBound)), \(Numbers.significant($0.upperBound))]"
        } ?? withheld,
      ])
      if let reason = shown.reason, !reasons.contains(reason) { reasons.append(reason) }
    }
    let notes = reasons.map { wrapped("Withheld: \($0).", indent: 2) }
    return ([table.text() + "\n  * endogenous, instrumented"] + notes).joined(separator: "\n")
  }

  private let withheld = "withheld"

  private var comparison: String {
    var table = TextTable(header: ["", "2SLS", "(s.e.)", "OLS", "(s.e.)"])
    for name in report.endogenous {
      table.append([
        name, significant(report.parameters[name]), error(report.standardErrors[name]),
        significant(report.ordinaryLeastSquares.parameters[name]),
        error(report.ordinaryLeastSquares.standardErrors[name]),
      ])
    }
    return "With and without instruments (OLS: ordinary least squares)\n" + table.text()
  }

  private var nonparametric: String {
    let stage = report.nonparametricFirstStage
    let title = "With a nonparametric first stage (OBiGrad: root of the orthogonal gradient)"
    guard let parameters = stage.parameters else {
      return title + "\n" + wrapped("Not available: \(stage.reason ?? "").")
    }
    var table = TextTable(header: ["", "estimate", "std. error", "95 % interval"])
    for name in report.endogenous {
      let interval = stage.confidenceIntervals?[name].map {
        "[\(Numbers.significant($0[0])), \(Numbers.significant($0[1]))]"
      }
      let error = stage.standardErrors?[name].map { Numbers.significant($0) }
      table.append([
        name, significant(parameters[name]), error ?? "withheld",
        interval ?? "withheld" + (stage.isWeak ? ": weak first stage" : ""),
      ])
    }
    let learner = wrapped(
      "First stage by \(stage.learner ?? ""), cross-fitted on \(stage.folds ?? 0) folds, "
        + "\(stage.splits ?? 0) splits (median), \(Repetition.text(seed: report.seed)); robust to errors of any "
        + "variance. 'bilevel-inference estimate' has learners, curves and a set that covers "
        + "however weak the instruments are.")
    return ([title, table.text(), learner] + stage.warnings.map { wrapped($0) })
      .joined(separator: "\n")
  }

  private var firstStages: String {
    let stages = result.firstStages.map { FirstStageText($0, report).text }
    return "First stage: how strongly the instruments move the endogenous variables\n"
      + stages.joined(separator: "\n")
  }

  private var tests: String {
    let wuHausman = describe(
      "Wu–Hausman", result.wuHausman, hypothesis: "\(list(report.endogenous)) exogenous",
      rejected: "OLS and 2SLS differ by more than chance; prefer 2SLS if the instruments are valid",
      kept: "no evidence that OLS is inconsistent, though a noisy 2SLS estimate shows little")
    let sargan = describe(
      "Sargan", result.sargan, hypothesis: "all instruments valid",
      rejected: "the instruments contradict each other; at least one is not valid",
      kept: "the instruments do not contradict each other")
    let note = report.covariance == .robust ? " (both for errors of equal variance)" : ""
    return "Tests\(note)\n\(wuHausman)\n\(sargan)"
  }

  private func describe(
    _ name: String, _ result: TestResult, hypothesis: String, rejected: String, kept: String
  ) -> String {
    switch result {
    case .unavailable(let reason):
      return wrapped("\(name): not available: \(reason).")
    case .statistic(let value, let degrees, let p):
      let symbol = degrees.count == 2 ? "F(\(degrees[0]), \(degrees[1]))" : "χ²(\(degrees[0]))"
      return wrapped(
        "\(name), hypothesis: \(hypothesis). \(symbol) = \(Numbers.significant(value)), "
          + "\(Numbers.pStatement(p)): \(p < 0.05 ? rejected : kept).")
    }
  }

  private var interpretation: String {
    guard report.rSquared != nil else {
      return "Interpretation\n"
        + wrapped(
          "\(report.outcome) does not vary, so there is no effect to speak of; the estimates are rounding."
        )
    }
    let sentences = report.endogenous.compactMap { name -> String? in
      guard let estimate = report.parameters[name] else { return nil }
      let interval = report.confidenceIntervals[name] ?? nil
      func bracket(_ text: (Double) -> String) -> String {
        interval.map { "95\u{A0}% interval \(text($0[0])) to \(text($0[1]))" }
          ?? "interval withheld"
      }
      if specification.isCard {
        let ordinary = report.ordinaryLeastSquares.parameters[name] ?? .nan
        return
          "One more year of schooling raises the wage by about \(percent(estimate)) "
          + "(\(bracket(percent))), against "
          + "\(percent(ordinary)) by OLS, if living near a college affects wages only through "
          + "schooling."
      }
      return "One unit more of \(name) changes \(report.outcome) by "
        + "\(Numbers.significant(estimate)) (\(bracket { Numbers.significant($0) })), other "
        + "regressors held fixed, if the instruments affect \(report.outcome) only through "
        + "\(list(report.endogenous))."
    }
    return "Interpretation\n" + sentences.map { wrapped($0) }.joined(separator: "\n")
  }

  /// A change of a logarithm as a percentage.
  private func percent(_ change: Double) -> String {
    Numbers.fixed(100 * expm1(change), decimals: 1) + "\u{A0}%"
  }

  private func significant(_ value: Double?) -> String { Numbers.significant(value ?? .nan) }

  private func error(_ value: Double??) -> String {
    (value ?? nil).map { Numbers.significant($0) } ?? withheld
  }
}

/// What the first stage of one endogenous variable says.
private struct FirstStageText {
  let text: String

  init(_ stage: FirstStage, _ report: LinearReport) {
    guard let partialF = stage.partialF, let p = stage.pValue else {
      let reason = "\(stage.name): partial F not available: \(stage.unavailableReason ?? "")."
      guard let other = stage.homoskedasticF else {
        text = wrapped(reason)
        return
      }
      text =
        wrapped(reason + " For errors of equal variance it is \(Numbers.significant(other)).")
        + "\n" + wrapped(Self.verdict(stage, report), indent: 4)
      return
    }
    let kind = report.covariance == .robust ? "robust partial F" : "partial F"
    var line =
      "\(stage.name): \(kind)(\(stage.degreesOfFreedom[0]), \(stage.degreesOfFreedom[1])) = "
      + "\(Numbers.significant(partialF)), \(Numbers.pStatement(p)), partial R² = "
      + "\(Numbers.significant(stage.partialRSquared))"
    if report.endogenous.count > 1, let conditional = stage.conditionalF {
      line += ", conditional F (Sanderson–Windmeijer) = \(Numbers.significant(conditional))"
    }
    text = wrapped(line + ".") + "\n" + wrapped(Self.verdict(stage, report), indent: 4)
  }

  /// The rule of `WeakIdentification`, and for one instrument the bound of Lee, McCrary, Moreira and
  /// Porter (2022).
  private static func verdict(_ stage: FirstStage, _ report: LinearReport) -> String {
    let limit = Numbers.short(WeakIdentification.limit)
    if stage.isWeak {
      return report.endogenous.count > 1
        ? "Below \(limit): the instruments do not move it apart from the other endogenous "
          + "variables, or not strongly; the estimate is biased towards OLS, and its interval, which "
          + "would be too short, is withheld."
        : "Below \(limit): weak instruments; the estimate is biased towards OLS, and its interval, "
          + "which would be too short, is withheld."
    }
    let isSimple = report.endogenous.count == 1 && report.instruments.count == 1
    if isSimple, stage.strength < 104.7 {
      return
        "Above \(limit), the rule of thumb for instruments that are not weak; only above 104.7 "
        + "does the interval cover with 95\u{A0}% probability in the worst case."
    }
    return "Above \(limit): not weak by the rule of thumb."
  }
}

private func list(_ names: [String]) -> String { names.joined(separator: ", ") }
