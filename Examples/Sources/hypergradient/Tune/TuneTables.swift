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
    var table = TextTable(header: [
      "method", "iterations", "seconds", "validation loss", "test loss", "gap to exact",
      "converged", "estimated error", "true error",
    ])
    func shown(_ value: Double?, digits: Int = 3) -> String {
      value.map { Numbers.significant($0, digits: digits) } ?? "–"
    }
    for result in results {
      table.append([
        result.label, "\(result.iterations)", Numbers.significant(result.seconds, digits: 3),
        shown(result.losses?.validation, digits: 7), shown(result.losses?.test, digits: 5),
        shown(result.gap), result.verdict, shown(result.estimatedRelativeError),
        shown(result.relativeError),
      ])
    }
    return table.text()
      + "\n"
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
    var table = TextTable(header: ["penalties", "validation loss", "test loss"])
    func add(_ name: String, _ losses: TuneLosses?) {
      table.append([
        name, losses.map { Numbers.significant($0.validation, digits: 7) } ?? "no unique solution",
        losses?.test.map { Numbers.significant($0, digits: 5) } ?? "–",
      ])
    }
    if let best = results.best { add("one per feature, \(best.label)", best.losses) }
    let common = Numbers.fixed(baselines.commonLogPenalty, decimals: 2)
    let side = boundText(baselines.commonLogPenalty)
    add("best common one, log \(common)\(side)", baselines.common)
    add("none", baselines.unregularized)
    let others = results.count > 2
    return table.text()
      + (others
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
    var table = TextTable(header: ["feature (\(best.label))", "log penalty", "coefficient"])
    let order = features.indices.sorted { best.logPenalties[$0] < best.logPenalties[$1] }
    for index in order.prefix(20) {
      let y = best.logPenalties[index]
      table.append([
        features[index], Numbers.fixed(y, decimals: 2) + boundText(y),
        Numbers.significant(losses.coefficients[index]),
      ])
    }
    return table.text() + (order.count > 20 ? "\n  … and \(order.count - 20) more" : "")
  }

  /// All iterations, one to a row.
  var iterations: CSVWriter {
    var writer = CSVWriter(
      columnNames: [
        "method", "approximate", "iteration", "seconds", "validationLoss", "approximateLoss",
        "innerResidual", "hypergradientNorm", "projectedNorm",
      ] + features.map { "logPenalty[\($0)]" })
    for run in runs {
      let isApproximate = run.label != run.method
      for step in run.steps {
        let numbers = [
          Double(step.iteration), step.seconds, step.validationLoss, step.approximateLoss,
          step.innerResidual, step.hypergradientNorm, step.projectedNorm,
        ]
        writer.append(
          [.text(run.method), .text(isApproximate ? "yes" : "no")]
            + (numbers + step.logPenalties).map { .number($0) })
      }
    }
    return writer
  }
}
