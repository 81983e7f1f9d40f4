import Autodiff

extension Estimate {
  /// A block of a summary: a title, and lines of a label and a text.
  public typealias SummaryBlock = (title: String, lines: [(label: String, text: String)])

  /// The results of inference for a reader without a manual, in titled blocks.
  ///
  /// The caller's blocks come first (the data, the score, the nuisances, the resampling), then the
  /// samples, the fit and the tests. The text says what is tested, whether intervals hold one by one
  /// or together, and why a statistic is missing.
  ///
  /// - Parameters:
  ///   - title: The first line.
  ///   - level: The level of the norm bound and, unless they are given, of pointwise intervals.
  ///   - intervals: Intervals of this estimate, such as simultaneous ones.
  ///   - blocks: What the caller adds.
  ///   - maximumRows: The number of coordinates shown; the others are counted.
  ///   - reason: Why the estimate is not near normal, so that errors, statistics, intervals and tests
  ///     are withheld; nil to show all.
  public func summary(
    title: String = "Estimate", level: Double = 0.95, intervals: Intervals? = nil,
    blocks: [SummaryBlock] = [], maximumRows: Int = 50, withholdingBecause reason: String? = nil
  ) -> String {
    report(level: level, intervals: intervals, withholdingBecause: reason)
      .summary(title: title, blocks: blocks, maximumRows: maximumRows)
  }

  fileprivate static func block(
    _ title: String, _ lines: [(label: String, text: String)]
  ) -> String {
    let width = lines.map(\.label.count).max() ?? 0
    let texts = lines.map { "  " + padded($0.label, to: width) + "  " + $0.text }
    return ([title] + texts).joined(separator: "\n")
  }

  fileprivate static func padded(_ text: String, to width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }
}

extension Estimate.Report {
  /// The report for a reader without a manual; see `Estimate.summary`.
  public func summary(
    title: String = "Estimate", blocks: [Estimate.SummaryBlock] = [], maximumRows: Int = 50
  ) -> String {
    let rule = String(repeating: "=", count: title.count)
    let given = blocks.map { Estimate.block($0.title, $0.lines) }
    return (["\(title)\n\(rule)"] + given + [sampleBlock, fitBlock(maximumRows), testBlock])
      .joined(separator: "\n\n")
  }

  fileprivate var sampleBlock: String {
    let lines = samples.enumerated().map { index, sample in
      (
        label: samples.count == 1 ? "rows" : "sample \(index + 1)",
        text: "\(sample.rows)"
          + (samples.count == 1 ? "" : " rows")
          + (sample.clusters.map { ", in \($0) clusters" } ?? ", independent")
      )
    }
    return Estimate.block(samples.count == 1 ? "Sample" : "Samples (independent)", lines)
  }

  fileprivate func fitBlock(_ maximumRows: Int) -> String {
    let percent = text(100 * level, 6)
    var rows = [["", "coef", "std err", "z", "P>|z|", "[\(percent) %", "interval]"]]
    for index in names.indices.prefix(maximumRows) {
      guard withheldReason == nil else {
        rows.append(
          [names[index], text(values[index], 4)] + Array(repeating: "withheld", count: 5))
        continue
      }
      rows.append([
        names[index], text(values[index], 4), text(standardErrors[index], 4),
        zStatistics[index].map { text($0, 3) } ?? "n/a", pValues[index].map(pText) ?? "n/a",
        text(lower[index], 4), text(upper[index], 4),
      ])
    }
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    let table = rows.map { row in
      let cells = zip(row, widths).enumerated().map { column, cell in
        let (text, width) = cell
        let padding = String(repeating: " ", count: width - text.count)
        return column == 0 ? text + padding : padding + text
      }
      return "  " + cells.joined(separator: "  ")
    }
    return (["Fit"] + table + fitNotes(maximumRows).map { "  " + $0 }).joined(separator: "\n")
  }

  private func fitNotes(_ maximumRows: Int) -> [String] {
    var notes: [String] = []
    if names.count > maximumRows { notes.append("… and \(names.count - maximumRows) more") }
    if let withheldReason { return notes + ["Withheld: \(withheldReason)."] }
    let percent = text(100 * level, 6)
    switch intervalKind {
    case .pointwise:
      notes.append(
        "Intervals are pointwise: each covers its own coordinate in \(percent) % of samples.")
    case .simultaneous:
      notes.append(
        "Intervals are simultaneous: all cover together in \(percent) % of samples "
          + "(\(text(criticalValue, 4)) standard errors).")
    }
    notes.append("P>|z| tests each coordinate = 0 by itself, not adjusted for their number.")
    if zStatistics.contains(where: { $0 == nil }) {
      notes.append("n/a: the coordinate has no variance, so there is no z statistic.")
    }
    return notes
  }

  fileprivate var testBlock: String {
    let joint: String
    switch jointTest {
    case .value(let test):
      joint = "χ²(\(test.degreesOfFreedom)) = \(text(test.statistic, 4)), p = \(pText(test.pValue))"
    case .unavailable(let reason):
      joint = "not available: \(reason)"
    }
    let bound: String
    switch normBound {
    case .value(let value): bound = "at most \(text(value, 4)) at level \(text(100 * level, 6)) %"
    case .unavailable(let reason): bound = "not available: \(reason)"
    }
    return Estimate.block(
      "Tests",
      [(label: "all coordinates = 0", text: joint), (label: "Euclidean norm", text: bound)])
  }

  private func pText(_ pValue: Double) -> String {
    pValue < 1e-4 ? text(pValue, 2) : text(pValue, 3)
  }
}
