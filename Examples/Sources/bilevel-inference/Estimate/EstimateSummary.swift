import Econometrics
import ExampleSupport
import Inference
import OrthogonalRegression

/// The text that `estimate` prints.
struct EstimateSummary {
  let report: EstimateReport
  let fit: OrthogonalIVFit
  let linear: TwoStageLeastSquares
  let intervals: Intervals
  let droppedLines: [Int]

  var text: String {
    let summary = fit.effects.summary(
      title: "Effect of \(list(report.endogenous)) on \(report.outcome), by instruments",
      level: report.effects.level, intervals: intervals,
      blocks: [data, score, nuisances, resampling, identification],
      withholdingBecause: fit.withheldReason)
    return ([summary, exogenous, robustSet, comparison, meaning] + [warnings])
      .compactMap { $0 }.joined(separator: "\n\n")
  }

  // MARK: Blocks

  private var data: Estimate.SummaryBlock {
    var lines = [
      (label: "source", text: "\(report.data), n = \(Numbers.count(report.n))"),
      (label: "outcome", text: report.outcome),
      (label: "endogenous", text: list(report.endogenous)),
      (label: "instruments", text: list(report.instruments)),
      (label: "exogenous", text: report.exogenous.isEmpty ? "none" : list(report.exogenous)),
    ]
    if report.droppedRows > 0 {
      let more = report.droppedRows > droppedLines.count ? ", …" : ""
      lines.append(
        (
          "dropped",
          "\(Numbers.count(report.droppedRows)) rows with missing values (lines "
            + "\(droppedLines.map(String.init).joined(separator: ", "))\(more))"
        ))
    }
    if report.duplicatedRows > 0 {
      lines.append(
        (
          "repeated",
          "\(Numbers.count(report.duplicatedRows)) rows repeat another one, taken as observations"
        ))
    }
    return ("Data", lines)
  }

  private var score: Estimate.SummaryBlock {
    let features = fit.treatments.compactMap(\.note)
    let part = isSmooth ? "g(exogenous)" : "exogenous · β"
    return (
      "Score",
      [
        ("kind", "orthogonal (efficient, doubly robust); root with sandwich covariance"),
        (
          "model",
          "\(report.outcome) = features · ω + \(part) + e, E[e | instruments, exogenous] = 0"
        ),
        ("features", ([report.features] + features).joined(separator: ", ")),
      ]
    )
  }

  private var nuisances: Estimate.SummaryBlock {
    let lines = fit.strengths.map { strength in
      (
        label: strength.name,
        text: "R² \(short(strength.rSquared))"
          + (report.exogenous.isEmpty
            ? "" : "; exogenous alone \(short(strength.rSquaredOfExogenous))")
          + "; n R² / (1 − R²) of what identifies = \(short(strength.concentration))"
      )
    }
    let outcome = [(label: report.outcome, text: "R² \(short(report.outcomeRSquared))")]
    return (
      "Nuisances: out of fold, after the linear part of the exogenous",
      [("learner", report.learner)] + lines + outcome
    )
  }

  private var resampling: Estimate.SummaryBlock {
    let groups = report.groups.map {
      ", \(Numbers.count($0)) groups of '\(report.groupColumn ?? "")'"
    }
    return (
      "Resampling",
      [
        (
          "cross-fitting",
          "\(report.folds) folds, \(report.repeats == 1 ? "1 split" : "\(report.repeats) splits (median)")"
            + (groups ?? "")
        ),
        (
          "repeat with", Repetition.text(seed: report.seed)
        ),
      ]
    )
  }

  private var identification: Estimate.SummaryBlock {
    (
      "Identification",
      [
        (
          "conditioning",
          (report.conditioning.map(short) ?? "not available")
            + " (smallest / largest singular value of the slope of the gradient)"
        )
      ]
    )
  }

  // MARK: Beside the fit

  private var exogenous: String? {
    guard let exogenous = report.exogenousEffects else { return nil }
    var table = TextTable(header: ["", "coef", "std err", "\(percent) interval"])
    if let reason = exogenous.withheldReason {
      for index in exogenous.names.indices {
        table.append([exogenous.names[index], short(exogenous.values[index]), "", "withheld"])
      }
      return "Exogenous variables\n" + table.text() + "\n" + wrapped("Withheld: \(reason).")
    }
    for index in exogenous.names.indices {
      table.append([
        exogenous.names[index], short(exogenous.values[index]),
        short(exogenous.standardErrors[index]),
        "[\(short(exogenous.lower[index])), \(short(exogenous.upper[index]))]",
      ])
    }
    return "Exogenous variables (pointwise intervals)\n" + table.text()
  }

  private var robustSet: String? {
    guard let set = report.robustSet else { return nil }
    let (lower, upper) = (set.lower.map(short) ?? "", set.upper.map(short) ?? "")
    let text =
      switch set.kind {
      case "interval": "[\(lower), \(upper)]"
      case "complement":
        "below \(lower) or above \(upper): the instruments are too weak for a bounded set"
      case "everything":
        "every number: the instruments are too weak to say anything about the effect"
      default: "empty: no value of the effect fits the model"
      }
    return "Weak-instrument robust \(percent) set for \(report.effects.names[0])\n  \(text)\n"
      + wrapped(
        "The values at which the residual is not significantly correlated with the cross-fitted "
          + "instrument (Anderson and Rubin 1949); it covers however weak the instruments are, if "
          + "the model holds.")
  }

  private var comparison: String {
    let (fit, statistics) = (linear.estimates, linear.statistics(level: report.effects.level))
    var table = TextTable(header: ["", "coef", "std err", "\(percent) interval"])
    var reasons: [String] = []
    for name in report.endogenous {
      guard let index = fit.index(of: name) else { continue }
      let shown = statistics[index]
      table.append([
        name, short(fit.parameters[index]), shown.standardError.map(short) ?? "withheld",
        shown.interval.map { "[\(short($0.lowerBound)), \(short($0.upperBound))]" } ?? "withheld",
      ])
      if let reason = shown.reason, !reasons.contains(reason) { reasons.append(reason) }
    }
    let errors = report.groups.map { "standard errors of \(Numbers.count($0)) clusters" }
    return
      (["Linear two-stage least squares (\(errors ?? "robust standard errors")), for comparison"]
      + [table.text()] + reasons.map { wrapped("Withheld: \($0).") })
      .joined(separator: "\n")
  }

  private var meaning: String {
    let effect =
      report.features == "linear"
      ? "coef is the change of \(report.outcome) per unit of the endogenous variable, all else equal"
      : "coef belongs to a feature; the function itself, other variables at their means, is in "
        + "estimate.svg with a band that covers at all points together"
    return "Reading\n"
      + wrapped(
        "\(effect), if the instruments affect \(report.outcome) only through "
          + "\(list(report.endogenous)) and the exogenous variables act "
          + (isSmooth ? "in any smooth way" : "linearly")
          + ". The interval counts the error of the sample; errors of the learner enter by products "
          + "of two only. R² says how well rows outside the fit are predicted beyond what the "
          + "exogenous do linearly; only what the instruments add to 'exogenous alone' is their own."
      )
  }

  private var isSmooth: Bool { report.exogenousForm == "smooth" }

  private var warnings: String? {
    report.warnings.isEmpty
      ? nil : "Warnings\n" + report.warnings.map { wrapped($0) }.joined(separator: "\n")
  }

  private var percent: String { "\(Numbers.short(100 * report.effects.level)) %" }
  private func short(_ value: Double) -> String { Numbers.significant(value) }
  private func list(_ names: [String]) -> String { names.joined(separator: ", ") }
}
