import Autodiff

extension GradientReport: CustomStringConvertible {
  /// Rows shown of each tensor and check.
  private static let rowLimit = 10

  /// One line for a check that passed; otherwise tables of what disagrees, worst first.
  public var description: String {
    outcome == .passed ? summary : ([headline] + tables + verdicts).joined(separator: "\n")
  }

  private var summary: String {
    let limited = tallies.reduce(0) { $0 + $1.domainLimitedCount }
    return "Gradient check passed: \(name), order \(order): \(comparisonCount) comparisons of "
      + "\(inputCount) inputs and \(outputCount) outputs, worst at \(text(worstRatio, 2)) of its "
      + "limit\(limited > 0 ? ", \(limited) domain-limited" : ""); \(cost), seed \(seed)"
  }

  private var headline: String {
    let word = outcome == .failed ? "FAILED" : "INCONCLUSIVE"
    return "Gradient check \(word): \(name), order \(order); \(cost), seed \(seed)"
  }

  private var cost: String {
    let (seconds, attoseconds) = duration.components
    let total = Double(seconds) + Double(attoseconds) * 1e-18
    return "\(evaluationCount) evaluations, \(text(total, 2)) s"
  }

  /// One table for each check and tensor, in the order of their worst rows.
  private var tables: [String] {
    struct Key: Hashable {
      let check: Check
      let leaf: String
    }
    var keys: [Key] = []
    var groups: [Key: [GradientDisagreement]] = [:]
    for disagreement in disagreements {
      let key = Key(check: disagreement.check, leaf: disagreement.leaf)
      if groups[key] == nil { keys.append(key) }
      groups[key, default: []].append(disagreement)
    }
    return keys.flatMap { table(groups[$0] ?? []) }
  }

  private func table(_ rows: [GradientDisagreement]) -> [String] {
    guard let worst = rows.first else { return [] }
    let elementCount = worst.shape.reduce(1, *)
    let count =
      worst.index == nil
      ? "" : ": \(rows.count) of \(elementCount) element\(elementCount == 1 ? "" : "s")"
    let verb = rows.contains { $0.outcome == .failed } ? "disagrees" : "cannot be decided"
    let shape = worst.index == nil ? "" : " \(worst.shape)"
    var lines = ["  \(worst.leaf)\(shape), \(worst.check.rawValue), \(verb)\(count)"]
    let names = worst.check.columnNames
    var cells = [["index", names.0, names.1, "rel.diff", "limit", "note"]]
    for row in rows.prefix(Self.rowLimit) {
      let relativeLimit = row.limit / max(row.analytic.magnitude, row.numeric.magnitude)
      cells.append([
        row.index.map { "\($0)" } ?? "all", text(row.analytic, 8),
        text(row.numeric, 8) + (row.error > 0 ? " (± \(text(row.error, 1)))" : ""),
        text(row.relativeDifference, 2), text(relativeLimit, 2),
        row.notes.joined(separator: "; "),
      ])
    }
    lines += aligned(cells).map { "    \($0)" }
    if rows.count > Self.rowLimit { lines.append("    … and \(rows.count - Self.rowLimit) more") }
    lines.append("    \(inequality(worst))")
    return lines
  }

  /// The acceptance test of the worst row with its numbers.
  private func inequality(_ row: GradientDisagreement) -> String {
    let relation = row.difference <= row.limit ? "≤" : ">"
    return "first row: difference \(text(row.difference, 2)) \(relation) limit "
      + "\(text(row.limit, 2)) = \(text(row.tolerance.relative, 2)) · "
      + "\(text(max(row.analytic.magnitude, row.numeric.magnitude), 2)) + "
      + "\(text(row.tolerance.absolute, 2)) · \(text(row.scale, 2)) + \(text(row.floor, 2)) + 10 · "
      + text(row.error, 2)
  }

  private var verdicts: [String] {
    var lines: [String] = []
    if let diagnosis { lines.append("  \(diagnosis)") }
    let isOfScalar = disagreements.contains { [.reverse, .forwardOverReverse].contains($0.check) }
    if outputCount > 1, isOfScalar {
      lines.append("  derivatives by an argument are those of ⟨u, f⟩ with random weights u")
    }
    let passed = tallies.filter { $0.outcome == .passed && $0.comparisonCount > 0 }
    if !passed.isEmpty {
      lines.append("  passed: " + passed.map(\.check.rawValue).joined(separator: ", "))
    }
    let skipped = tallies.filter { $0.reasonForSkipping != nil }
    if let reason = skipped.first?.reasonForSkipping {
      let names = skipped.map(\.check.rawValue).joined(separator: ", ")
      lines.append("  not checked, because \(reason): \(names)")
    }
    lines.append("  to repeat exactly, pass seed: \(seed)")
    return lines
  }

  /// Which side disagrees with which.
  private var diagnosis: String? {
    if outcome(of: .determinism) == .failed {
      return "the function is not deterministic: two evaluations at the same point differ"
    }
    switch (outcome(of: .forward), outcome(of: .reverse), outcome(of: .adjointIdentity)) {
    case (.failed, .passed, _):
      return "reverse mode agrees with finite differences: suspect a forward (JVP) rule"
    case (.passed, .failed, _):
      return "forward mode agrees with finite differences: suspect a reverse (VJP) rule"
    case (.failed, .failed, .passed):
      return "both modes agree with each other, not with the values: suspect a rule they share, "
        + "or a dependence that is hidden from them (stopGradient, a captured copy)"
    case (.failed, .failed, _):
      return "forward and reverse mode disagree with finite differences and with each other"
    case (.passed, .passed, .failed):
      return "forward and reverse mode differ by less than finite differences resolve"
    default: return nil
    }
  }
}

extension GradientReport.Check {
  /// What the two compared columns hold.
  fileprivate var columnNames: (String, String) {
    switch self {
    case .determinism: ("first run", "second run")
    case .tracedValue: ("traced", "plain")
    case .structure: ("derivative", "expected")
    case .adjointIdentity: ("⟨u, J v⟩", "⟨Jᵀu, v⟩")
    case .linearity: ("of combination", "combination of")
    case .singlePrecision: ("float32", "float64")
    case .modes: ("one mode", "forward over reverse")
    default: ("analytic", "numeric (± error)")
    }
  }
}

/// Rows of cells in columns of equal width.
private func aligned(_ rows: [[String]]) -> [String] {
  let columns = rows.first?.indices ?? 0..<0
  let widths = columns.map { column in rows.reduce(0) { max($0, $1[column].count) } }
  return rows.map { row in
    var line = ""
    for column in columns {
      line += row[column] + String(repeating: " ", count: widths[column] - row[column].count + 2)
    }
    while line.last == " " { line.removeLast() }
    return line
  }
}
