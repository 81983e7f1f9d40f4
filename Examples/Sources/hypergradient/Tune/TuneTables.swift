import ExampleSupport
import HyperparameterProblems
import TensorFiles

extension TuneReport {
  /// The text for the terminal.
  var text: String {
    var parts = [
      """
      \(subtitle)
        Inner problem   \(effort)
        Outer problem   \(settings.rule.rawValue) steps, log penalties in \
      [\(settings.bounds.map { Numbers.fixed($0, decimals: 2) }.joined(separator: ", "))]
        Linear algebra  \(linearAlgebra)
      """,
      methodTable,
    ]
    parts.insert(contentsOf: [data.droppedText, constantText].filter { !$0.isEmpty }, at: 1)
    parts += [notes, baselineTable, remark, featureTable].filter { !$0.isEmpty }
    return parts.joined(separator: "\n\n")
  }

  private var methodTable: String {
    let error = NumberFormat.significant(3)
    return results.table([
      .init("method", text: \.label), .init("iterations") { "\($0.iterations)" },
      .init("seconds", error) { $0.seconds },
      .init("validation loss", .significant(7), missing: "–") { $0.losses?.validation },
      .init("test loss", .significant(5), missing: "–") { $0.losses?.test },
      .init("gap to exact", error, missing: "–", \.gap), .init("converged", text: \.verdict),
      .init("estimated error", error, missing: "–", \.estimatedRelativeError),
      .init("true error", error, missing: "–", \.relativeError),
    ]) + "\n"
      + wrapped(
        "Errors are those of the last hypergradient, relative to its norm, which at "
          + "a solution is nearly 0. Losses are at the exact inner solution.", width: 100)
  }

  private var constantText: String {
    guard !constantFeatures.isEmpty else { return "" }
    return wrapped(
      "Constant in the training rows: \(constantFeatures.joined(separator: ", ")). A constant "
        + "feature that is standardised becomes 0 and leaves its coefficient to the penalty alone, "
        + "so without penalties there is no unique solution.", width: 100)
  }

  /// What stays wrong, and what went wrong.
  private var notes: String {
    var lines: [String] = []
    for result in results {
      if let approximation = result.approximation {
        lines.append("  \(result.method) is approximate: \(approximation).")
      }
      if let failure = result.failure {
        let text = failure.split(separator: "\n").joined(separator: "\n      ")
        lines.append("  \(result.method) failed after \(result.iterations) iterations: \(text)")
      } else if !result.converged {
        lines.append(unfinished(result))
      }
    }
    lines += warnings.map { "  Warning: \($0)" }
    return lines.joined(separator: "\n")
  }

  private func unfinished(_ result: TuneResult) -> String {
    let norm = Numbers.significant(result.projectedNorm ?? .nan, digits: 2)
    let residual = Numbers.significant(result.innerResidual ?? .nan, digits: 2)
    let measured = "the projected hypergradient is \(norm), the inner residual \(residual)"
    if result.stuck {
      return
        "  \(result.method) was stopped after \(result.iterations) iterations without progress, "
        + "though steps were shortened: \(measured).\n      The inner solution is not accurate "
        + "enough to go on; use --inner-tolerance, such as 1e-8, or more --inner-steps."
    }
    return "  \(result.method) has not converged: \(measured); use --inner-tolerance, or allow "
      + "more --inner-steps or --iterations."
  }

  private var baselineTable: String {
    let common = Numbers.fixed(baselines.commonLogPenalty, decimals: 2)
    let side = boundText(baselines.commonLogPenalty)
    let rows: [(name: String, losses: TuneLosses?)] =
      (results.best.map { [("one per feature, \($0.label)", $0.losses)] } ?? [])
      + [
        ("best common one, log \(common)\(side)", baselines.common),
        ("none", baselines.unregularized),
      ]
    return rows.table([
      .init("penalties", text: \.name),
      .init("validation loss", .significant(7), missing: "no unique solution") {
        $0.losses?.validation
      }, .init("test loss", .significant(5), missing: "–") { $0.losses?.test },
    ])
      + (results.count > 2
        ? "\n  Of methods that end within a millionth of each other, the first that was named is shown."
        : "")
  }

  private func boundText(_ y: Double) -> String {
    y <= settings.bounds[0] ? " (low)" : y >= settings.bounds[1] ? " (high)" : ""
  }

  private var remark: String {
    let test =
      testRows > 0
      ? "The test loss is not: neither training nor tuning saw its \(Numbers.count(testRows)) rows."
      : "There are no test rows to tell by how much; see --test-fraction."
    return wrapped(
      "The validation loss of tuned penalties is optimistic, because they were chosen on it, the more "
        + "so the more of them there are. \(test)", width: 100)
  }

  private var featureTable: String {
    guard let best = results.best, let losses = best.losses else { return "" }
    let order = features.indices.sorted { best.logPenalties[$0] < best.logPenalties[$1] }
    let shown = Array(order.prefix(20))
    return shown.table([
      .init("feature (\(best.label))") { features[$0] },
      .init("log penalty") { index in
        let y = best.logPenalties[index]
        return Numbers.fixed(y, decimals: 2) + boundText(y)
      }, .init("coefficient") { losses.coefficients[$0] },
    ]) + (order.count > 20 ? "\n  … and \(order.count - 20) more" : "")
  }

  /// All iterations, one to a row.
  var csv: CSVWriter {
    let rows = runs.flatMap { run in run.steps.map { (run: run, step: $0) } }
    let columns: [Column<(run: Curve, step: TuneStep)>] = [
      .init(nil, csv: "method", text: \.run.method),
      .init(nil, csv: "approximate") { $0.run.label == $0.run.method ? "no" : "yes" },
      .init(nil, csv: "iteration") { Double($0.step.iteration) },
      .init(nil, csv: "seconds") { $0.step.seconds },
      .init(nil, csv: "validationLoss") { $0.step.validationLoss },
      .init(nil, csv: "approximateLoss") { $0.step.approximateLoss },
      .init(nil, csv: "innerResidual") { $0.step.innerResidual },
      .init(nil, csv: "hypergradientNorm") { $0.step.hypergradientNorm },
      .init(nil, csv: "projectedNorm") { $0.step.projectedNorm },
    ]
    return rows.csv(
      columns
        + features.enumerated().map { index, name in
          .init(nil, csv: "logPenalty[\(name)]") { $0.step.logPenalties[index] }
        })
  }
}
