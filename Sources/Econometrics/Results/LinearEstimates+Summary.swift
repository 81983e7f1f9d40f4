import Inference

extension LinearEstimates {
  /// The results for a reader without a manual.
  public func summary(of sample: InstrumentalSample) -> String {
    summary(of: sample, interpretation: nil)
  }

  /// The same with other words for what the estimates mean.
  public func summary(of sample: InstrumentalSample, interpretation: String?) -> String {
    let text = LinearSummary(sample: sample, estimates: self)
    let last = interpretation ?? text.interpretation
    return
      ([text.heading, text.coefficients, text.comparison]
      + [nonparametricFirstStage?.summary(of: sample.endogenous, seed: seed)].compactMap { $0 }
      + [text.firstStages, text.tests, "Interpretation\n" + last]).joined(separator: "\n\n")
  }
}

/// An interval, or that it is withheld.
func bracket(_ interval: ClosedRange<Double>?, orElse missing: String = "withheld") -> String {
  interval.map {
    "[\(Numbers.significant($0.lowerBound)), \(Numbers.significant($0.upperBound))]"
  } ?? missing
}

/// A number, or that it is withheld.
func shown(_ value: Double??, orElse missing: String = "withheld") -> String {
  (value ?? nil).map { Numbers.significant($0) } ?? missing
}

private struct LinearSummary {
  let sample: InstrumentalSample
  let estimates: LinearEstimates

  var heading: String {
    let spread =
      estimates.covariance == .robust
      ? "robust to errors of any variance (HC0)" : "for errors of equal variance"
    let dropped =
      sample.droppedRows == 0
      ? "none dropped for missing values"
      : "\(Numbers.count(sample.droppedRows)) dropped for missing values in used columns"
    let rSquared =
      estimates.rSquared.map { Numbers.fixed($0, decimals: 4) }
      ?? "not available: \(sample.outcome) does not vary"
    return """
      Two-stage least squares: \(sample.outcome) on \(list(sample.endogenous)), \
      instrumented by \(list(sample.instruments))
        data             \(sample.data)
        rows             n = \(Numbers.count(sample.n)), \(dropped)
        standard errors  \(spread), not adjusted for small samples
        R²               \(rSquared)
      """
  }

  var coefficients: String {
    var table = TextTable(header: ["", "estimate", "std. error", "z", "p", "95 % interval"])
    var reasons: [String] = []
    // The endogenous variables, which the regression is about, come first.
    let constant = estimates.constant ? [InstrumentalModel.constantName] : []
    for name in sample.endogenous + constant + sample.exogenous {
      table.append([
        name + (sample.endogenous.contains(name) ? " *" : ""), shown(estimates.parameters[name]),
        shown(estimates.standardErrors[name]),
        (estimates.zStatistics[name] ?? nil).map { Numbers.fixed($0, decimals: 2) } ?? "withheld",
        (estimates.pValues[name] ?? nil).map(Numbers.pValue) ?? "withheld",
        bracket(estimates.confidenceIntervals[name] ?? nil),
      ])
      if let reason = estimates.unavailable[name], !reasons.contains(reason) {
        reasons.append(reason)
      }
    }
    let notes = reasons.map { wrapped("Withheld: \($0).", indent: 2) }
    return ([table.text() + "\n  * endogenous, instrumented"] + notes).joined(separator: "\n")
  }

  var comparison: String {
    let ordinary = estimates.ordinaryLeastSquares
    var table = TextTable(header: ["", "2SLS", "(s.e.)", "OLS", "(s.e.)"])
    for name in sample.endogenous {
      table.append([
        name, shown(estimates.parameters[name]), shown(estimates.standardErrors[name]),
        shown(ordinary.parameters[name]), shown(ordinary.standardErrors[name]),
      ])
    }
    return "With and without instruments (OLS: ordinary least squares)\n" + table.text()
  }

  // MARK: First stages

  var firstStages: String {
    let stages = sample.endogenous.compactMap { name in
      estimates.firstStage[name].map { firstStage(name, $0) }
    }
    return "First stage: how strongly the instruments move the endogenous variables\n"
      + stages.joined(separator: "\n")
  }

  private func firstStage(_ name: String, _ stage: FirstStage) -> String {
    let verdict = "\n" + wrapped(verdict(stage), indent: 4)
    guard let partialF = stage.partialF, let p = stage.pValue else {
      let reason = "\(name): partial F not available: \(stage.reason ?? "")."
      guard let other = stage.homoskedasticF else { return wrapped(reason) }
      return wrapped(reason + " For errors of equal variance it is \(Numbers.significant(other)).")
        + verdict
    }
    let kind = estimates.covariance == .robust ? "robust partial F" : "partial F"
    var line =
      "\(name): \(kind)(\(stage.degreesOfFreedom[0]), \(stage.degreesOfFreedom[1])) = "
      + "\(Numbers.significant(partialF)), \(Numbers.pStatement(p)), partial R² = "
      + Numbers.significant(stage.partialRSquared)
    if sample.endogenous.count > 1, let conditional = stage.conditionalF {
      line += ", conditional F (Sanderson–Windmeijer) = \(Numbers.significant(conditional))"
    }
    return wrapped(line + ".") + verdict
  }

  /// The rule of `WeakIdentification`, and for one instrument the bound of Lee, McCrary, Moreira and
  /// Porter (2022).
  private func verdict(_ stage: FirstStage) -> String {
    let limit = Numbers.short(WeakIdentification.limit)
    if stage.isWeak {
      let weakness =
        sample.endogenous.count > 1
        ? "the instruments do not move it apart from the other endogenous variables, or not strongly"
        : "weak instruments"
      return "Below \(limit): \(weakness); the estimate is biased towards OLS, and its interval, "
        + "which would be too short, is withheld."
    }
    let isSimple = sample.endogenous.count == 1 && sample.instruments.count == 1
    if isSimple, stage.strength(of: 1) < 104.7 {
      return
        "Above \(limit), the rule of thumb for instruments that are not weak; only above 104.7 "
        + "does the interval cover with 95\u{A0}% probability in the worst case."
    }
    return "Above \(limit): not weak by the rule of thumb."
  }

  // MARK: Tests and meaning

  var tests: String {
    let wuHausman = describe(
      "Wu–Hausman", estimates.diagnostics.wuHausman,
      hypothesis: "\(list(sample.endogenous)) exogenous",
      rejected: "OLS and 2SLS differ by more than chance; prefer 2SLS if the instruments are valid",
      kept: "no evidence that OLS is inconsistent, though a noisy 2SLS estimate shows little")
    let sargan = describe(
      "Sargan", estimates.diagnostics.sargan, hypothesis: "all instruments valid",
      rejected: "the instruments contradict each other; at least one is not valid",
      kept: "the instruments do not contradict each other")
    let note = estimates.covariance == .robust ? " (both for errors of equal variance)" : ""
    return "Tests\(note)\n\(wuHausman)\n\(sargan)"
  }

  private func describe(
    _ name: String, _ test: TestResult, hypothesis: String, rejected: String, kept: String
  ) -> String {
    guard let value = test.statistic, let degrees = test.degreesOfFreedom, let p = test.pValue
    else { return wrapped("\(name): not available: \(test.reason ?? "").") }
    let symbol = degrees.count == 2 ? "F(\(degrees[0]), \(degrees[1]))" : "χ²(\(degrees[0]))"
    return wrapped(
      "\(name), hypothesis: \(hypothesis). \(symbol) = \(Numbers.significant(value)), "
        + "\(Numbers.pStatement(p)): \(p < 0.05 ? rejected : kept).")
  }

  var interpretation: String {
    guard estimates.rSquared != nil else {
      return wrapped(
        "\(sample.outcome) does not vary, so there is no effect to speak of; the estimates are "
          + "rounding.")
    }
    return sample.endogenous.map { name in
      let interval = estimates.confidenceIntervals[name] ?? nil
      let text =
        interval.map {
          "95\u{A0}% interval \(Numbers.significant($0.lowerBound)) to "
            + Numbers.significant($0.upperBound)
        } ?? "interval withheld"
      return wrapped(
        "One unit more of \(name) changes \(sample.outcome) by "
          + "\(shown(estimates.parameters[name])) (\(text)), other regressors held fixed, if the "
          + "instruments affect \(sample.outcome) only through \(list(sample.endogenous)).")
    }.joined(separator: "\n")
  }
}
