import Autodiff

/// Directional derivatives of ⟨u, f⟩ where there are too many elements to compare one by one, and
/// the search for the elements behind a disagreement.
extension CheckRun {
  private static var elementLimit: Int { 10 }
  private static var searchLimit: Int { 400 }

  /// Compares one directional derivative; where it fails, finds and reports the elements.
  ///
  /// - Parameter derivative: The derivative of ⟨u, f⟩ along a vector, in the mode under test.
  func compareDirection(
    _ check: GradientReport.Check, along d: [Double], _ f: CheckedFunction<Input, Output, E>,
    _ derivative: ([Double]) throws(E) -> Double
  ) throws(E) {
    let whole = comparison(check, try derivative(d), along: d, f)
    guard whole.judgement == .failed else { return record(whole, along: d, f) }
    // One failing direction is searched for each mode; it finds what the others would.
    guard !findings.hasSearched(check) else { return }
    findings.noteSearch(check)
    var found = 0
    var budget = Self.searchLimit
    // A stack of index sets that disagree, so that the search goes deep before it goes wide.
    var pending = f.input.leaves.filter { !$0.range.isEmpty }.reversed().map { ($0, $0.range) }
    while let (leaf, range) = pending.popLast(), found < Self.elementLimit, budget > 0 {
      budget -= 1
      let part = f.restricted(d, to: range)
      var comparison = comparison(check, try derivative(part), along: part, f)
      guard comparison.judgement == .failed else { continue }
      if range.count == 1 {
        found += 1
        comparison.leaf = leaf.path
        comparison.shape = Array(leaf.shape)
        comparison.index = leaf.index(at: range.lowerBound)
        record(comparison, along: part, f, scale: 1 / d[range.lowerBound])
      } else {
        let middle = range.lowerBound + range.count / 2
        pending.append((leaf, middle..<range.upperBound))
        pending.append((leaf, range.lowerBound..<middle))
      }
    }
    if found == 0 { record(whole, along: d, f) }
  }

  private func record(
    _ comparison: GradientDisagreement, along d: [Double], _ f: CheckedFunction<Input, Output, E>,
    scale: Double = 1
  ) {
    findings.record(comparison.scaled(by: scale)) {
      let goal = scalarGoal(comparison.analytic, f)
      return oneSided(f.scalar(along: d), goal).kink(at: 0, scale: scale)
    }
  }

  /// An analytic derivative of ⟨u, f⟩ along d, and the same by finite differences.
  private func comparison(
    _ check: GradientReport.Check, _ analytic: Double, along d: [Double],
    _ f: CheckedFunction<Input, Output, E>
  ) -> GradientDisagreement {
    let goal = scalarGoal(analytic, f)
    let reference = Reference(
      FiniteDifference.estimate(of: f.scalar(along: d), goal: goal), count: 1)
    return GradientDisagreement(
      check: check, leaf: "all arguments", shape: [], index: nil, analytic: analytic,
      numeric: reference.values[0], error: reference.errors[0],
      isDomainLimited: reference.isDomainLimited[0], tolerance: tolerances.first,
      scale: reference.values[0].magnitude,
      floor: f.scalarMagnitude * GradientTolerance.resolution)
  }
}

extension GradientDisagreement {
  /// The same comparison in another unit of the argument.
  fileprivate func scaled(by factor: Double) -> GradientDisagreement {
    var result = self
    result.analytic *= factor
    result.numeric *= factor
    result.error *= factor.magnitude
    result.scale *= factor.magnitude
    result.floor *= factor.magnitude
    return result
  }
}
