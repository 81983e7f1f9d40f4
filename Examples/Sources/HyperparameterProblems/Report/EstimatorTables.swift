import ExampleSupport
import TensorFiles

/// The summaries as text and as CSV.
public enum EstimatorTables {
  /// The table for the terminal: slope and error relative to the first estimator, each as median
  /// and range over problems.
  public static func text(_ summaries: [EstimatorSummary], ratioError: Double) -> String {
    let reference = summaries.first?.name ?? ""
    var table = TextTable(header: [
      "estimator", "slope", "range", "error / \(reference)", "range", "C / C \(reference)",
    ])
    for summary in summaries {
      table.append([
        summary.name,
        summary.isExact ? "exact" : summary.slope.map { Numbers.fixed($0, decimals: 2) } ?? "–",
        summary.isExact ? "" : range(summary.slopeRange) { Numbers.fixed($0, decimals: 2) },
        summary.constantRatio.map { Numbers.significant($0, digits: 3) } ?? "–",
        range(summary.constantRatioRange) { Numbers.significant($0, digits: 2) },
        summary.efficiencyRatio.map(constant) ?? "",
      ])
    }
    let problems = summaries.map(\.problems).max() ?? 0
    return table.text() + "\n"
      + wrapped(
        "Medians and ranges over \(Numbers.count(problems)) "
          + "\(problems == 1 ? "problem" : "problems"); errors compared at inner error "
          + "\(Numbers.significant(ratioError, digits: 2)). Slope 2: the error of the hypergradient is the square of "
          + "the inner error, up to a constant. C: the constant of the first order, by "
          + "differentiating the estimator at the solution; 0 where it is rounding.")
  }

  /// Every point of every curve: estimator, seed, innerError, hypergradientError.
  public static func csv(_ curves: [EstimatorCurve]) -> CSVWriter {
    var writer = CSVWriter(columnNames: ["estimator", "seed", "innerError", "hypergradientError"])
    for curve in curves {
      // Larger seeds are no exact numbers.
      let seed: CSVValue =
        curve.seed <= 1 << 53 ? .number(Double(curve.seed)) : .text("\(curve.seed)")
      for (error, value) in zip(curve.errors, curve.hypergradientErrors) {
        writer.append([.text(curve.name), seed, .number(error), .number(value)])
      }
    }
    return writer
  }

  /// A ratio of constants; what rounding leaves of an exact zero is 0.
  private static func constant(_ ratio: Double) -> String {
    ratio < 1e-8 ? "0" : Numbers.significant(ratio, digits: 3)
  }

  private static func range(
    _ range: ClosedRange<Double>?, _ text: (Double) -> String
  ) -> String {
    range.map { "\(text($0.lowerBound)) … \(text($0.upperBound))" } ?? ""
  }
}
