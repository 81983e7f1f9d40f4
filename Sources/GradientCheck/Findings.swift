import Autodiff

/// What analytic values are compared with: exact values, or finite differences with their errors.
struct Reference {
  var values: [Double]
  var errors: [Double]
  var isDomainLimited: [Bool]

  init(exact values: [Double]) {
    self.values = values
    errors = Array(repeating: 0, count: values.count)
    isDomainLimited = Array(repeating: false, count: values.count)
  }

  /// Where the function is undefined all around, a reference that decides nothing.
  init(_ difference: FiniteDifference?, count: Int) {
    values = difference?.derivative ?? Array(repeating: .nan, count: count)
    errors = difference?.error ?? Array(repeating: .infinity, count: count)
    isDomainLimited = Array(repeating: difference?.isDomainLimited ?? true, count: count)
  }

  func scaled(by factor: Double) -> Reference {
    var result = self
    result.values = values.map { $0 * factor }
    result.errors = errors.map { $0 * factor.magnitude }
    return result
  }
}

/// The derivatives of one element from either side.
struct Kink {
  let left: Double
  let right: Double
}

/// Collects the comparisons of one gradient check.
final class Findings {
  /// Which number a comparison is about.
  private struct Place: Hashable {
    let check: GradientReport.Check
    let leaf: String
    let index: [Int]?
  }

  private(set) var tallies: [GradientReport.Tally] = []
  private var searched: Set<GradientReport.Check> = []
  private var worst: [Place: GradientDisagreement] = [:]

  /// Failures before inconclusive ones, worst first; among equals in the order of their names, so
  /// that the report is the same each time.
  var disagreements: [GradientDisagreement] {
    worst.values.sorted { a, b in
      if a.outcome != b.outcome { return a.outcome == .failed }
      if a.ratio != b.ratio { return a.ratio > b.ratio }
      if a.leaf != b.leaf { return a.leaf < b.leaf }
      return (a.index ?? []).lexicographicallyPrecedes(b.index ?? [])
    }
  }

  var hasFailures: Bool { tallies.contains { $0.failureCount > 0 } }

  func hasFailures(in check: GradientReport.Check) -> Bool {
    tallies.contains { $0.check == check && $0.failureCount > 0 }
  }

  func hasSearched(_ check: GradientReport.Check) -> Bool { searched.contains(check) }

  /// Remembers that the elements behind a failure were looked for.
  func noteSearch(_ check: GradientReport.Check) { searched.insert(check) }

  /// Notes that a check takes place, even if it turns out to compare nothing, and counts numbers
  /// that are known to agree.
  func begin(_ check: GradientReport.Check, agreements: Int = 0) {
    update(check) { $0.comparisonCount += agreements }
  }

  func skip(_ checks: [GradientReport.Check], because reason: String) {
    for check in checks { update(check) { $0.reasonForSkipping = reason } }
  }

  /// Compares the elements of some tensors, S being the largest reference value of each tensor.
  ///
  /// - Parameters:
  ///   - floors: The resolution of the reference, for each element.
  ///   - kink: The one-sided derivatives of an element that does not pass, if they differ.
  func compare(
    _ check: GradientReport.Check, _ leaves: [TreeLeaf], _ analytic: [Double],
    _ reference: Reference, _ tolerance: GradientTolerance, floors: [Double]? = nil,
    note: String? = nil, kink: (Int) -> Kink? = { _ in nil }
  ) {
    begin(check)
    for leaf in leaves {
      let scale = reference.values[leaf.range].largestMagnitude
      for offset in leaf.range {
        let comparison = GradientDisagreement(
          check: check, leaf: leaf.path, shape: Array(leaf.shape), index: leaf.index(at: offset),
          analytic: analytic[offset], numeric: reference.values[offset],
          error: reference.errors[offset], isDomainLimited: reference.isDomainLimited[offset],
          tolerance: tolerance, scale: scale, floor: floors?[offset] ?? 0,
          notes: note.map { [$0] } ?? [])
        record(comparison, kink: { kink(offset) })
      }
    }
  }

  /// Counts one comparison, and keeps it if it does not pass.
  func record(_ comparison: GradientDisagreement, kink: () -> Kink? = { nil }) {
    var finding = comparison
    finding.judge(kink: kink)
    update(finding.check) { tally in
      tally.comparisonCount += 1
      if finding.isDomainLimited { tally.domainLimitedCount += 1 }
      tally.worstRatio = max(tally.worstRatio, finding.ratio)
      switch finding.outcome {
      case .passed: break
      case .failed: tally.failureCount += 1
      case .inconclusive: tally.inconclusiveCount += 1
      }
    }
    guard finding.outcome != .passed else { return }
    let place = Place(check: finding.check, leaf: finding.leaf, index: finding.index)
    if let known = worst[place] {
      let isWorse =
        known.outcome == finding.outcome
        ? finding.ratio > known.ratio : finding.outcome == .failed
      guard isWorse else { return }
    }
    worst[place] = finding
  }

  /// Records a disagreement about a whole tensor that no tolerance excuses.
  func recordFailure(
    _ check: GradientReport.Check, _ leaf: String, analytic: Double, numeric: Double, note: String
  ) {
    let finding = GradientDisagreement(
      check: check, outcome: .failed, leaf: leaf, shape: [], index: nil, analytic: analytic,
      numeric: numeric, tolerance: GradientTolerance(relative: 0, absolute: 0), scale: 0,
      notes: [note])
    update(check) { tally in
      tally.comparisonCount += 1
      tally.failureCount += 1
      tally.worstRatio = .infinity
    }
    worst[Place(check: check, leaf: leaf, index: nil)] = finding
  }

  private func update(
    _ check: GradientReport.Check, _ change: (inout GradientReport.Tally) -> Void
  ) {
    if let index = tallies.firstIndex(where: { $0.check == check }) {
      change(&tallies[index])
    } else {
      var tally = GradientReport.Tally(check)
      change(&tally)
      tallies.append(tally)
    }
  }
}

extension GradientDisagreement {
  /// The judgement of the two values, before it is known whether they have a kink.
  var judgement: GradientOutcome {
    tolerance.outcome(
      analytic: analytic, numeric: numeric, error: error, scale: scale, floor: floor)
  }

  /// Judges the two values and explains it; `kink` is asked for only where they disagree.
  mutating func judge(kink: () -> Kink?) {
    outcome = judgement
    guard outcome != .passed else { return }
    let isExplained = !notes.isEmpty
    if !analytic.isFinite { notes.append("analytic is \(analytic)") }
    if !numeric.isFinite, !isExplained { notes.append("undefined around the point") }
    if analytic == 0, numeric.isFinite { notes.append("analytic is exactly 0") }
    if isDomainLimited, numeric.isFinite { notes.append("domain-limited") }
    if analytic.isFinite, let kink = kink() {
      let limit = tolerance.limit(analytic, numeric, scale: scale, floor: floor)
      // Any value between the one-sided derivatives is a choice that a rule may make.
      let isChoice =
        analytic >= min(kink.left, kink.right) - limit
        && analytic <= max(kink.left, kink.right) + limit
      if isChoice { outcome = .inconclusive }
      let sides = "left \(text(kink.left, 4)), right \(text(kink.right, 4))"
      notes.append("possible kink: \(sides)\(isChoice ? "" : ", analytic outside")")
    } else if outcome == .inconclusive, numeric.isFinite {
      notes.append("reference too inaccurate to tell")
    }
  }
}
