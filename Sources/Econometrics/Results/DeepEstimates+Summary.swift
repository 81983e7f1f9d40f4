import Inference

extension DeepEstimates {
  /// The results for a reader without a manual.
  public func summary(of sample: InstrumentalSample) -> String {
    let text = DeepSummary(sample: sample, estimates: self)
    return [text.heading, text.effects, warningBlock(warnings), outOfSample.map(text.errors)]
      .compactMap { $0 }.joined(separator: "\n\n")
  }
}

private struct DeepSummary {
  let sample: InstrumentalSample
  let estimates: DeepEstimates

  var heading: String {
    let (settings, losses) = (estimates.settings, estimates.outerLosses)
    let dropped =
      sample.droppedRows > 0
      ? ", \(Numbers.count(sample.droppedRows)) dropped for missing values" : ""
    let stopped =
      estimates.isInterrupted
      ? "\n\n"
        + wrapped(
          "Stopped after \(losses.count) of \(settings.iterations) iterations: what follows is of the "
            + "networks as they were then.", indent: 0) : ""
    let condition =
      estimates.intervals.headCondition.map {
        "condition number \(Numbers.significant($0, digits: 2))"
      } ?? "none"
    return """
      Nonlinear regression with instruments: deep features, both heads in closed form
        Data             \(sample.data), n = \(Numbers.count(sample.n))\(dropped)
        Outcome          \(sample.outcome)
        Endogenous       \(list(sample.endogenous))
        Instruments      \(list(sample.instruments))
        Exogenous        \(sample.exogenous.isEmpty ? "none" : list(sample.exogenous))
        Penalties        ridge \(Numbers.short(settings.firstRidge)) of the first head and \
      \(Numbers.short(settings.secondRidge)) of the second, per observation; weight decay \
      \(Numbers.short(settings.weightDecay))
        Outer loss       \(shown(losses.first)) at first, \(shown(losses.last)) \
      at last
        Repeat with      seed \(estimates.seed), \(estimates.linearAlgebra)
        Refitted head    \(condition)\(stopped)\(rounding)
      """
  }

  /// What is said where the result hangs on rounding.
  private var rounding: String {
    guard estimates.intervals.hangsOnRounding else { return "" }
    return "\n\n"
      + wrapped(
        "The refitted head hangs on rounding: its equations multiply errors of the features by their "
          + "condition number, and training on another library of linear algebra or instruction set "
          + "rounds them differently, so the same seed can give very different effects there. Fewer "
          + "--features, more --observations or a larger --second-ridge make it stable.", indent: 0)
  }

  var effects: String {
    var table = TextTable(header: [
      "", "deep", "refitted head", "95 % interval", "linear 2SLS", "(s.e.)", "OLS",
    ])
    for name in sample.endogenous {
      guard let effect = estimates.averageEffects[name] else { continue }
      let refitted = estimates.intervals.averageEffects?[name]
      table.append([
        name, shown(effect.deep), shown(refitted?.value, orElse: ""),
        bracket(refitted.map { $0.lower...$0.upper }, orElse: ""),
        shown(effect.twoStageLeastSquares, orElse: ""),
        shown(effect.twoStageLeastSquaresStandardError),
        shown(effect.ordinaryLeastSquares, orElse: ""),
      ])
    }
    return "Average change of \(sample.outcome) per unit, other variables held fixed\n"
      + table.text() + "\n" + wrapped(intervals)
  }

  private var intervals: String {
    guard let rows = estimates.intervals.rows else {
      return
        "No intervals: \(estimates.intervals.reason ?? ""). The deep fit itself has no standard "
        + "error, and its ridges pull small samples towards no effect."
    }
    let truth =
      estimates.intervals.coverageOfTruth.map {
        " Along the plotted curves the pointwise intervals hold the true function at "
          + "\(Numbers.fixed(100 * $0, decimals: 0))\u{A0}% of the points."
      } ?? ""
    return "The refitted head is the root of the orthogonal gradient on the learned features, on "
      + "\(Numbers.count(rows)) rows that they were not learned from. The plot draws it with its "
      + "pointwise intervals and a band over all curves together. These cover the penalised projection of "
      + "the structural function on these features: they count the error of the sample, not what "
      + "the features cannot say or the ridge takes away.\(truth)"
  }

  func errors(_ errors: DeepErrors) -> String {
    var table = TextTable(header: ["method", "error", "relative to deep"])
    for (name, error) in [
      ("deep, instrumented", errors.deep),
      ("linear 2SLS", errors.linearTwoStageLeastSquares),
      ("same network, not instrumented", errors.naiveNetwork),
      ("OLS", errors.ordinaryLeastSquares),
      ("best constant", errors.constant),
    ] {
      table.append([
        name, Numbers.significant(error), Numbers.fixed(error / errors.deep, decimals: 1),
      ])
    }
    return "Error against the true structural function at \(Numbers.count(errors.points)) points "
      + "where the price is set\n" + table.text() + "\n"
      + wrapped("Mean squared errors, in units of the variance of demand.")
  }
}
