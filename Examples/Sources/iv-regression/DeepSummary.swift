import ExampleSupport

/// The text that `deep` prints.
struct DeepSummary {
  private let report: DeepReport

  init(_ report: DeepReport) { self.report = report }

  func text() -> String {
    ([heading, effects] + [warnings, report.outOfSample.map(errors)].compactMap { $0 })
      .joined(separator: "\n\n")
  }

  private var heading: String {
    let dropped =
      report.droppedRows > 0
      ? ", \(Numbers.count(report.droppedRows)) dropped for missing values" : ""
    let stopped =
      report.isInterrupted
      ? "\n\n"
        + wrapped(
          "Stopped after \(report.outerLosses.count) of \(report.settings.iterations) iterations: what "
            + "follows is of the networks as they were then.", indent: 0) : ""
    let condition =
      report.intervals.headCondition.map {
        "condition number \(Numbers.significant($0, digits: 2))"
      } ?? "none"
    return """
      Nonlinear regression with instruments: deep features, both heads in closed form
        Data             \(report.data), n = \(Numbers.count(report.n))\(dropped)
        Outcome          \(report.outcome)
        Endogenous       \(report.endogenous.joined(separator: ", "))
        Instruments      \(report.instruments.joined(separator: ", "))
        Exogenous        \(report.exogenous.isEmpty ? "none" : report.exogenous.joined(separator: ", "))
        Penalties        ridge \(Numbers.short(report.settings.firstRidge)) of the first head and \
      \(Numbers.short(report.settings.secondRidge)) of the second, per observation; weight decay \
      \(Numbers.short(report.settings.weightDecay))
        Outer loss       \(loss(report.outerLosses.first)) at first, \(loss(report.outerLosses.last)) \
      at last
        Repeat with      \(Repetition.text(seed: report.seed))
        Refitted head    \(condition)\(stopped)\(rounding)
      """
  }

  /// What is said where the result hangs on rounding.
  private var rounding: String {
    guard report.intervals.hangsOnRounding else { return "" }
    return "\n\n"
      + wrapped(
        "The refitted head hangs on rounding: its equations multiply errors of the features by their "
          + "condition number, and training on another library of linear algebra or instruction set "
          + "rounds them differently, so the same seed can give very different effects there. Fewer "
          + "--features, more --observations or a larger --second-ridge make it stable.", indent: 0)
  }

  private var effects: String {
    var table = TextTable(header: [
      "", "deep", "refitted head", "95 % interval", "linear 2SLS", "(s.e.)", "OLS",
    ])
    for name in report.endogenous {
      guard let effect = report.averageEffects[name] else { continue }
      let refitted = report.intervals.averageEffects?[name]
      table.append([
        name, Numbers.significant(effect.deep),
        refitted.map { Numbers.significant($0.value) } ?? "",
        refitted.map {
          "[\(Numbers.significant($0.lower)), \(Numbers.significant($0.upper))]"
        } ?? "",
        effect.twoStageLeastSquares.map { Numbers.significant($0) } ?? "",
        effect.twoStageLeastSquaresStandardError.map { Numbers.significant($0) } ?? "withheld",
        effect.ordinaryLeastSquares.map { Numbers.significant($0) } ?? "",
      ])
    }
    return "Average change of \(report.outcome) per unit, other variables held fixed\n"
      + table.text() + "\n" + wrapped(intervals)
  }

  private var warnings: String? {
    report.warnings.isEmpty
      ? nil : "Warnings\n" + report.warnings.map { wrapped($0) }.joined(separator: "\n")
  }

  private var intervals: String {
    guard let rows = report.intervals.rows else {
      return "No intervals: \(report.intervals.reason ?? ""). The deep fit itself has no standard "
        + "error, and its ridges pull small samples towards no effect."
    }
    let truth =
      report.intervals.coverageOfTruth.map {
        " Along the plotted curves the pointwise intervals hold the true function at "
          + "\(Numbers.fixed(100 * $0, decimals: 0))\u{A0}% of the points."
      } ?? ""
    return "The refitted head is the root of the orthogonal gradient on the learned features, on "
      + "\(Numbers.count(rows)) rows that they were not learned from. The plot draws it with its "
      + "pointwise intervals and a band over all curves together. These cover the penalised projection of "
      + "the structural function on these features: they count the error of the sample, not what "
      + "the features cannot say or the ridge takes away.\(truth)"
  }

  private func errors(_ errors: DeepErrors) -> String {
    var table = TextTable(header: ["method", "error", "relative to deep"])
    let rows = [
      ("deep, instrumented", errors.deep),
      ("linear 2SLS", errors.linearTwoStageLeastSquares),
      ("same network, not instrumented", errors.naiveNetwork),
      ("OLS", errors.ordinaryLeastSquares),
      ("best constant", errors.constant),
    ]
    for (name, error) in rows {
      table.append([
        name, Numbers.significant(error), Numbers.fixed(error / errors.deep, decimals: 1),
      ])
    }
    return "Error against the true structural function at \(Numbers.count(errors.points)) points "
      + "where the price is set\n" + table.text() + "\n"
      + wrapped("Mean squared errors, in units of the variance of demand.")
  }

  private func loss(_ value: Double?) -> String { Numbers.significant(value ?? .nan) }
}
