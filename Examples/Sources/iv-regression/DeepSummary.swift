import ExampleSupport

/// The text that `deep` prints.
struct DeepSummary {
  private let report: DeepReport

  init(_ report: DeepReport) { self.report = report }

  func text() -> String {
    ([heading, effects] + [report.outOfSample.map(errors)].compactMap { $0 })
      .joined(separator: "\n\n")
  }

  private var heading: String {
    let dropped =
      report.droppedRows > 0
      ? ", \(Numbers.count(report.droppedRows)) dropped for missing values" : ""
    return """
      Nonlinear regression with instruments: deep features, both heads in closed form
        Data             \(report.data), n = \(Numbers.count(report.n))\(dropped)
        Outcome          \(report.outcome)
        Endogenous       \(report.endogenous.joined(separator: ", "))
        Instruments      \(report.instruments.joined(separator: ", "))
        Exogenous        \(report.exogenous.isEmpty ? "none" : report.exogenous.joined(separator: ", "))
        Outer loss       \(loss(report.outerLosses.first)) at first, \(loss(report.outerLosses.last)) \
      at last
      """
  }

  private var effects: String {
    var table = TextTable(header: ["", "deep", "linear 2SLS", "OLS"])
    for name in report.endogenous {
      guard let effect = report.averageEffects[name] else { continue }
      table.append([
        name, Numbers.significant(effect.deep),
        effect.twoStageLeastSquares.map { Numbers.significant($0) } ?? "",
        effect.ordinaryLeastSquares.map { Numbers.significant($0) } ?? "",
      ])
    }
    return "Average change of \(report.outcome) per unit, other variables held fixed\n"
      + table.text() + "\n"
      + wrapped(
        "A point estimate: the deep fit has no standard error, and its ridges pull small samples "
          + "towards no effect. Compare seeds and settings (--features, --second-ridge, "
          + "--iterations) before trusting a difference from 2SLS."
          + (report.n < 2000 ? " With fewer than 2,000 rows, rely on 'linear'." : ""))
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
