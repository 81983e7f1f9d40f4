import Autodiff

/// What must hold exactly, up to rounding: no finite differences, no step.
extension CheckRun {
  func checkIdentities(of f: CheckedFunction<Input, Output, E>) throws(E) {
    let (plain, pullback) = try vjp(at: f.input.tree, of: f.function)
    let (linearized, differential) = try linearize(at: f.input.tree, of: f.function)
    let direction = f.input.direction(zip(f.steps, generator.unitVector(f.input.count)).map(*))
    let (forward, tangent) = try jvp(at: f.input.tree, along: direction, of: f.function)
    for (mode, value) in [("reverse", plain), ("linearize", linearized), ("forward", forward)] {
      compareValue(value, f, mode)
    }

    findings.begin(.structure)
    checkStructure(
      try pullback(f.output.direction(f.cotangent)), like: f.input.tree, leaves: f.input.leaves,
      what: "cotangent")
    checkStructure(tangent, like: f.output.tree, leaves: f.output.leaves, what: "tangent")

    findings.begin(.adjointIdentity)
    for _ in 0..<3 {
      let u = generator.signedWeights(f.output.count)
      let v = zip(f.steps, generator.unitVector(f.input.count)).map(*)
      let cotangent = f.input.elements(of: try pullback(f.output.direction(u))) ?? []
      // One tensor at a time, so that a disagreement names it.
      for leaf in f.input.leaves where !leaf.range.isEmpty {
        let part = f.restricted(v, to: leaf.range)
        let image = f.output.elements(of: try differential(f.input.direction(part))) ?? []
        let terms = max(magnitudeOfDot(u, image), magnitudeOfDot(cotangent, part))
        findings.record(
          GradientDisagreement(
            check: .adjointIdentity, leaf: leaf.path, shape: Array(leaf.shape), index: nil,
            analytic: dot(u, image), numeric: dot(cotangent, part), tolerance: identityTolerance,
            scale: terms, floor: magnitudeOfDot(u, f.value) * GradientTolerance.resolution))
      }
    }
    try checkLinearity(of: pullback, f)
  }

  private var identityTolerance: GradientTolerance {
    GradientTolerance(relative: tolerances.identity, absolute: tolerances.identity)
  }

  /// Jᵀ(α u + β w) = α Jᵀu + β Jᵀw.
  private func checkLinearity(
    of pullback: Pullback<Output, E, Input>, _ f: CheckedFunction<Input, Output, E>
  ) throws(E) {
    let (alpha, beta) = (0.75, -1.25)
    let u = generator.signedWeights(f.output.count)
    let w = generator.signedWeights(f.output.count)
    func image(_ cotangent: [Double]) throws(E) -> [Double] {
      f.input.elements(of: try pullback(f.output.direction(cotangent))) ?? []
    }
    let combined = try image(zip(u, w).map { alpha * $0 + beta * $1 })
    let (first, second) = (try image(u), try image(w))
    findings.compare(
      .linearity, f.input.leaves, combined,
      Reference(exact: zip(first, second).map { alpha * $0 + beta * $1 }), identityTolerance,
      floors: f.gradientFloors)
  }

  private func compareValue(
    _ traced: Output, _ f: CheckedFunction<Input, Output, E>, _ mode: String
  ) {
    guard let elements = f.output.elements(of: traced) else {
      return recordStructure(
        "output", found: traced.elementCount, expected: f.output.tree.elementCount,
        "the value has another structure under \(mode)")
    }
    findings.compare(
      .tracedValue, f.output.leaves, elements, Reference(exact: f.value),
      GradientTolerance(relative: tolerances.value, absolute: tolerances.value), note: mode)
  }

  /// One tensor for each, of the same shape and type, zero where there is no derivative.
  private func checkStructure<Tree: TensorTree>(
    _ derivative: Tree, like tree: Tree, leaves: [TreeLeaf], what: String
  ) {
    let (found, expected) = (derivative.tensors, tree.tensors)
    let paths = tree.tensorPaths
    guard found.count == expected.count else {
      return recordStructure(
        leaves.first?.path ?? "", found: found.count, expected: expected.count,
        "number of tensors of the \(what)")
    }
    findings.begin(.structure, agreements: found.count)
    for (index, (one, other)) in zip(found, expected).enumerated() {
      let isSame = one.shape == other.shape && one.scalarType == other.scalarType
      let mayBeNonzero = one.scalarType.isFloatingPoint
      guard !isSame || !(mayBeNonzero || one.scalars.allSatisfy { $0 == 0 }) else { continue }
      recordStructure(
        paths[index], found: one.elementCount, expected: other.elementCount,
        isSame
          ? "the \(what) of a tensor without derivatives is not zero"
          : "the \(what) is \(one.shape) \(one.scalarType), expected \(other.shape) "
            + "\(other.scalarType)")
    }
  }

  private func recordStructure(_ leaf: String, found: Int, expected: Int, _ note: String) {
    findings.begin(.structure)
    findings.recordFailure(
      .structure, leaf, analytic: Double(found), numeric: Double(expected), note: note)
  }
}
