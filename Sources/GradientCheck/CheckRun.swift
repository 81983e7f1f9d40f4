import Autodiff

/// The arguments of a gradient check.
struct CheckSettings {
  let name: String
  let order: Int
  let tolerances: GradientTolerances
  let seed: UInt64
  /// The point has `float32` tensors, and the function is evaluated in both precisions.
  let comparesSinglePrecision: Bool
  let evaluationLimit: Int
}

/// One gradient check: the sequence of its parts.
final class CheckRun<Input: TensorTree, Output: TensorTree, E: Error> {
  let settings: CheckSettings
  let findings = Findings()
  var generator: SplitMix64
  private let f: (Input) throws(E) -> Output
  private var evaluationCount = 0

  init(_ settings: CheckSettings, of f: @escaping (Input) throws(E) -> Output) {
    self.settings = settings
    self.f = f
    generator = SplitMix64(seed: settings.seed)
  }

  var tolerances: GradientTolerances { settings.tolerances }

  func evaluate(_ x: Input) throws(E) -> Output {
    evaluationCount += 1
    return try f(x)
  }

  func report(at point: Input) throws(E) -> GradientReport {
    let start = ContinuousClock.now
    // Tensors that the function captures are converted with the point.
    let (inputCount, outputCount) = try promotingFloats(settings.comparesSinglePrecision) {
      () throws(E) in try check(at: point)
    }
    return GradientReport(
      name: settings.name, order: settings.order, seed: settings.seed, inputCount: inputCount,
      outputCount: outputCount, evaluationCount: evaluationCount,
      duration: ContinuousClock.now - start, tallies: findings.tallies,
      disagreements: findings.disagreements)
  }

  /// - Returns: The numbers of elements of the point and of the result.
  private func check(at point: Input) throws(E) -> (inputCount: Int, outputCount: Int) {
    if let reason = checkVisits(of: point, named: nil) {
      skipRest(because: reason)
      return (0, 0)
    }
    let input = TreeCoordinates(
      settings.comparesSinglePrecision
        ? point.mapTensors { $0.scalarType == .float32 ? $0.cast(to: .float64) : $0 } : point)
    let value = try evaluate(input.tree)
    if let reason = checkVisits(of: value, named: "output") {
      skipRest(because: reason)
      return (input.count, 0)
    }
    let output = TreeCoordinates(value, named: "output")
    if let reason = checkDeterminism(value, try evaluate(input.tree)) ?? checkFinite(output) {
      skipRest(because: reason)
    } else {
      let function = CheckedFunction(
        { [self] x throws(E) in try evaluate(x) }, at: input, output: output,
        using: &generator)
      try checkIdentities(of: function)
      try checkFirstOrder(of: function)
      if settings.comparesSinglePrecision { try checkSinglePrecision(of: function, at: point) }
      if settings.order >= 2 { try checkSecondOrder(of: function) }
    }
    return (input.count, output.count)
  }

  private func skipRest(because reason: String) {
    let known = findings.tallies.map(\.check)
    findings.skip(checks.filter { !known.contains($0) }, because: reason)
  }

  /// - Returns: Why no check makes sense, if the visit of a tree leaves out a tensor.
  private func checkVisits(of tree: some TensorTree, named name: String?) -> String? {
    let omissions = tree.omittedTensors
    for omission in omissions {
      findings.recordFailure(
        .structure, [name, omission.path].compactMap { $0 }.joined(separator: "."), analytic: 0,
        numeric: 1, note: omission.message)
    }
    return omissions.isEmpty ? nil : "a tree does not visit all of its tensors"
  }

  /// The checks that these settings ask for.
  private var checks: [GradientReport.Check] {
    GradientReport.Check.allCases.filter { check in
      switch check {
      case .singlePrecision: settings.comparesSinglePrecision
      case .forwardOverReverse, .reverseOverReverse, .reverseOverForward, .forwardOverForward,
        .modes:
        settings.order >= 2
      default: true
      }
    }
  }

  /// - Returns: Why no other check makes sense, if two evaluations differ.
  private func checkDeterminism(_ first: Output, _ second: Output) -> String? {
    findings.begin(.determinism, agreements: first.elementCount)
    let (a, b) = (first.tensors, second.tensors)
    let paths = first.tensorPaths.map { $0.isEmpty ? "output" : "output.\($0)" }
    let exact = GradientTolerance(relative: 0, absolute: 0)
    guard a.count == b.count, zip(a, b).allSatisfy({ $0.shape == $1.shape }) else {
      findings.recordFailure(
        .determinism, "output", analytic: Double(first.elementCount),
        numeric: Double(second.elementCount), note: "results of different structure")
      return "the structure of the result changes from run to run"
    }
    for (position, (one, other)) in zip(a, b).enumerated() where !one.isBitwiseEqual(to: other) {
      let leaf = TreeLeaf(
        path: paths[position], shape: one.shape, scalarType: one.scalarType, position: position,
        range: 0..<one.elementCount)
      findings.compare(.determinism, [leaf], one.scalars, Reference(exact: other.scalars), exact)
    }
    return findings.hasFailures ? "the function is not deterministic" : nil
  }

  /// - Returns: Why no other check makes sense, if the function is not finite at the point.
  private func checkFinite(_ output: TreeCoordinates<Output>) -> String? {
    let value = output.vector
    guard !value.allSatisfy(\.isFinite) else { return nil }
    for leaf in output.leaves {
      for offset in leaf.range where !value[offset].isFinite {
        findings.record(
          GradientDisagreement(
            check: .tracedValue, leaf: leaf.path, shape: Array(leaf.shape),
            index: leaf.index(at: offset), analytic: 0, numeric: value[offset],
            tolerance: GradientTolerance(relative: 0), scale: 0,
            notes: ["the value is \(value[offset])"]))
      }
    }
    return "the function is not finite at the point"
  }
}
