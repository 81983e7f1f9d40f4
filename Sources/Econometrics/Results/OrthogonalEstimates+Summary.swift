import Inference

extension OrthogonalEstimates {
  /// The results for a reader without a manual.
  public func summary(of sample: InstrumentalSample) -> String {
    let text = OrthogonalSummary(sample: sample, estimates: self)
    let summary = effects.summary(
      title: "Effect of \(list(sample.endogenous)) on \(sample.outcome), by instruments",
      blocks: [text.data, text.score, text.nuisances, text.resampling, text.identification])
    return [summary, text.exogenous, text.robustSet, text.comparison, text.meaning, text.warnings]
      .compactMap { $0 }.joined(separator: "\n\n")
  }
}

private struct OrthogonalSummary {
  let sample: InstrumentalSample
  let estimates: OrthogonalEstimates

  // MARK: Blocks

  var data: Estimate.SummaryBlock {
    var lines = [
      (label: "source", text: "\(sample.data), n = \(Numbers.count(sample.n))"),
      (label: "outcome", text: sample.outcome),
      (label: "endogenous", text: list(sample.endogenous)),
      (label: "instruments", text: list(sample.instruments)),
      (label: "exogenous", text: sample.exogenous.isEmpty ? "none" : list(sample.exogenous)),
    ]
    if sample.droppedRows > 0 {
      let places = estimates.notes.droppedLines
      let shown = list(places.map(String.init)) + (sample.droppedRows > places.count ? ", …" : "")
      lines.append(
        (
          "dropped",
          "\(Numbers.count(sample.droppedRows)) rows with missing values"
            + (places.isEmpty ? "" : " (lines \(shown))")
        ))
    }
    if estimates.duplicatedRows > 0 {
      let count = Numbers.count(estimates.duplicatedRows)
      lines.append(("repeated", "\(count) rows repeat another one, taken as observations"))
    }
    return ("Data", lines)
  }

  var score: Estimate.SummaryBlock {
    let part = isSmooth ? "g(exogenous)" : "exogenous · β"
    return (
      "Score",
      [
        ("kind", "orthogonal (efficient, doubly robust); root with sandwich covariance"),
        (
          "model",
          "\(sample.outcome) = features · ω + \(part) + e, E[e | instruments, exogenous] = 0"
        ),
        ("features", list([estimates.features] + estimates.notes.features)),
      ]
    )
  }

  var nuisances: Estimate.SummaryBlock {
    let lines = estimates.firstStage.map { strength in
      (
        label: strength.name,
        text: "R² \(number(strength.rSquared))"
          + (sample.exogenous.isEmpty
            ? "" : "; exogenous alone \(number(strength.rSquaredOfExogenous))")
          + "; n R² / (1 − R²) of what identifies = \(number(strength.concentration))"
      )
    }
    let outcome = [(label: sample.outcome, text: "R² \(number(estimates.outcomeRSquared))")]
    return (
      "Nuisances: out of fold, after the linear part of the exogenous",
      [("learner", estimates.learner)] + lines + outcome
    )
  }

  var resampling: Estimate.SummaryBlock {
    let groups = estimates.groups.map {
      ", \(Numbers.count($0)) groups" + (estimates.groupColumn.map { " of '\($0)'" } ?? "")
    }
    let splits = estimates.repeats == 1 ? "1 split" : "\(estimates.repeats) splits (median)"
    return (
      "Resampling",
      [
        (
          "cross-fitting",
          "\(estimates.folds) folds, \(splits)\(groups ?? "")"
        ),
        ("repeat with", "seed \(estimates.seed), \(estimates.linearAlgebra)"),
      ]
    )
  }

  var identification: Estimate.SummaryBlock {
    (
      "Identification",
      [
        (
          "conditioning",
          (estimates.conditioning.map(number) ?? "not available")
            + " (smallest / largest singular value of the slope of the gradient)"
        )
      ]
    )
  }

  // MARK: Beside the fit

  private var header: [String] { ["", "coef", "std err", "\(percent) interval"] }

  var exogenous: String? {
    guard let exogenous = estimates.exogenousEffects else { return nil }
    var table = TextTable(header: header)
    let reason = exogenous.withheldReason
    for index in exogenous.names.indices {
      table.append(
        [exogenous.names[index], number(exogenous.values[index])]
          + (reason != nil
            ? ["", "withheld"]
            : [
              number(exogenous.standardErrors[index]),
              bracket(exogenous.lower[index]...exogenous.upper[index]),
            ]))
    }
    return "Exogenous variables" + (reason == nil ? " (pointwise intervals)" : "") + "\n"
      + table.text() + (reason.map { "\n" + wrapped("Withheld: \($0).") } ?? "")
  }

  var robustSet: String? {
    guard let set = estimates.robustSet else { return nil }
    let (lower, upper) = (shown(set.lower, orElse: ""), shown(set.upper, orElse: ""))
    let text =
      switch set.kind {
      case .interval: "[\(lower), \(upper)]"
      case .complement:
        "below \(lower) or above \(upper): the instruments are too weak for a bounded set"
      case .everything:
        "every number: the instruments are too weak to say anything about the effect"
      case .nothing: "empty: no value of the effect fits the model"
      }
    return "Weak-instrument robust \(percent) set for \(estimates.effects.names[0])\n  \(text)\n"
      + wrapped(
        "The values at which the residual is not significantly correlated with the cross-fitted "
          + "instrument (Anderson and Rubin 1949); it covers however weak the instruments are, if "
          + "the model holds.")
  }

  var comparison: String {
    let linear = estimates.twoStageLeastSquares
    var table = TextTable(header: header)
    var reasons: [String] = []
    for name in sample.endogenous {
      guard let index = linear.names.firstIndex(of: name) else { continue }
      table.append([
        name, number(linear.values[index]), shown(linear.standardErrors[index]),
        bracket(linear.intervals[index]),
      ])
      if let reason = linear.reasons[index], !reasons.contains(reason) { reasons.append(reason) }
    }
    let errors = estimates.groups.map { "standard errors of \(Numbers.count($0)) clusters" }
    return
      (["Linear two-stage least squares (\(errors ?? "robust standard errors")), for comparison"]
      + [table.text()] + reasons.map { wrapped("Withheld: \($0).") })
      .joined(separator: "\n")
  }

  var meaning: String {
    let effect =
      estimates.features == "linear"
      ? "coef is the change of \(sample.outcome) per unit of the endogenous variable, all else equal"
      : "coef belongs to a feature; the function itself, other variables at their means, is in "
        + "estimate.svg with a band that covers at all points together"
    return "Reading\n"
      + wrapped(
        "\(effect), if the instruments affect \(sample.outcome) only through "
          + "\(list(sample.endogenous)) and the exogenous variables act "
          + (isSmooth ? "in any smooth way" : "linearly")
          + ". The interval counts the error of the sample; errors of the learner enter by products "
          + "of two only. R² says how well rows outside the fit are predicted beyond what the "
          + "exogenous do linearly; only what the instruments add to 'exogenous alone' is their own."
      )
  }

  var warnings: String? { warningBlock(estimates.warnings) }

  private var isSmooth: Bool { estimates.exogenousForm == .smooth }
  private var percent: String { "\(Numbers.short(100 * estimates.effects.level)) %" }
  private func number(_ value: Double) -> String { Numbers.significant(value) }
}

/// The last block of a summary; nil without warnings.
func warningBlock(_ warnings: [String]) -> String? {
  warnings.isEmpty ? nil : "Warnings\n" + warnings.map { wrapped($0) }.joined(separator: "\n")
}
