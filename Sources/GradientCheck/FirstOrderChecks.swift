import Autodiff

/// J v and Jᵀu against extrapolated central differences.
extension CheckRun {
  private static var directionCount: Int { 5 }
  /// What one derivative by finite differences usually takes.
  private static var evaluationsPerElement: Int { 10 }

  func checkFirstOrder(of f: CheckedFunction<Input, Output, E>) throws(E) {
    findings.begin(.forward)
    findings.begin(.reverse)
    guard f.isDifferentiable else { return }
    let gradient = try f.gradient()
    let isSwept = f.input.count <= settings.evaluationLimit / Self.evaluationsPerElement
    for _ in 0..<Self.directionCount {
      let d = zip(f.steps, generator.unitVector(f.input.count)).map(*)
      let tangent = try f.tangent(along: d)
      compareTangent(tangent, along: d, f)
      guard !isSwept else { continue }
      try compareDirection(.reverse, along: d, f) { dot(gradient, $0) }
      try compareDirection(.forward, along: d, f) { d throws(E) in
        dot(f.cotangent, try f.tangent(along: d))
      }
    }
    if isSwept { try sweep(gradient, f) }
  }

  /// J d against d/dt f(x + t d), for each element of the result.
  private func compareTangent(
    _ tangent: [Double], along d: [Double], _ f: CheckedFunction<Input, Output, E>
  ) {
    let curve = f.values(along: d)
    let magnitudes = f.value.map(\.magnitude)
    let goal = goal(
      tolerances.first, analytic: tangent, magnitudes: magnitudes, noise: f.noise,
      leaves: f.output.leaves)
    let reference = Reference(
      FiniteDifference.estimate(of: curve, goal: goal), count: f.output.count)
    lazy var sides = oneSided(curve, goal)
    findings.compare(
      .forward, f.output.leaves, tangent, reference, tolerances.first,
      floors: magnitudes.map { $0 * GradientTolerance.resolution },
      kink: { sides.kink(at: $0) })
  }

  /// Element by element: Jᵀu against ∂⟨u, f⟩/∂xᵢ, and where forward mode failed ⟨u, J eᵢ⟩ too.
  private func sweep(
    _ gradient: [Double], _ f: CheckedFunction<Input, Output, E>
  ) throws(E) {
    var reference = Reference(exact: gradient)
    let goals = f.steps.indices.map { scalarGoal(gradient[$0] * f.steps[$0], f) }
    for index in f.steps.indices {
      let curve = f.scalar(along: f.basisStep(index))
      let element = Reference(FiniteDifference.estimate(of: curve, goal: goals[index]), count: 1)
        .scaled(by: 1 / f.steps[index])
      reference.values[index] = element.values[0]
      reference.errors[index] = element.errors[0]
      reference.isDomainLimited[index] = element.isDomainLimited[0]
    }
    let floors = f.gradientFloors
    let kink = { (index: Int) -> Kink? in
      let sides = self.oneSided(f.scalar(along: f.basisStep(index)), goals[index])
      return sides.kink(at: 0, scale: 1 / f.steps[index])
    }
    findings.compare(
      .reverse, f.input.leaves, gradient, reference, tolerances.first, floors: floors, kink: kink)
    guard findings.hasFailures(in: .forward) else { return }
    var forward: [Double] = []
    for index in f.steps.indices {
      forward.append(dot(f.cotangent, try f.tangent(along: f.basisStep(index))) / f.steps[index])
    }
    findings.compare(
      .forward, f.input.leaves, forward, reference, tolerances.first, floors: floors, kink: kink)
  }

  /// The same gradient in single precision, at the point as it was given.
  func checkSinglePrecision(
    of f: CheckedFunction<Input, Output, E>, at point: Input
  ) throws(E) {
    findings.begin(.singlePrecision)
    let reference = Reference(exact: try f.gradient())
    try promotingFloats(false) { () throws(E) in
      try compareSinglePrecision(of: f, at: point, reference)
    }
  }

  private func compareSinglePrecision(
    of f: CheckedFunction<Input, Output, E>, at point: Input, _ reference: Reference
  ) throws(E) {
    let (value, pullback) = try vjp(at: point) { x throws(E) in try self.evaluate(x) }
    let output = TreeCoordinates(value)
    guard output.count == f.output.count else {
      return findings.recordFailure(
        .singlePrecision, "output", analytic: Double(output.count),
        numeric: Double(f.output.count), note: "the result has another structure in float32")
    }
    let cotangent = try pullback(output.direction(f.cotangent))
    findings.compare(
      .singlePrecision, f.input.leaves, f.input.elements(of: cotangent) ?? [],
      reference, tolerances.singlePrecision,
      floors: f.steps.map { f.scalarMagnitude * GradientTolerance.singleResolution / $0 })
  }
}

// MARK: - Accuracy of the differences

extension CheckRun {
  /// Differences accurate enough that their error is a small part of the tolerance.
  ///
  /// - Parameters:
  ///   - magnitudes: The size of the terms that sum to each value of the curve, as far as known.
  ///   - noise: Their measured error.
  func goal(
    _ tolerance: GradientTolerance, analytic: [Double], magnitudes: [Double], noise: [Double],
    leaves: [TreeLeaf]
  ) -> FiniteDifference.Goal {
    let share = 0.01
    var goal = FiniteDifference.Goal(count: analytic.count)
    goal.relative = share * tolerance.relative
    goal.noise = zip(magnitudes, noise).map { magnitude, noise in
      max(noise, max(Double.ulpOfOne, tolerances.noise) * magnitude)
    }
    for leaf in leaves {
      let scale = analytic[leaf.range].largestMagnitude
      for index in leaf.range {
        goal.absolute[index] =
          share * (tolerance.absolute * scale + GradientTolerance.resolution * magnitudes[index])
      }
    }
    return goal
  }

  /// The goal for a directional derivative of ⟨u, f⟩.
  func scalarGoal(
    _ analytic: Double, _ f: CheckedFunction<Input, Output, E>
  ) -> FiniteDifference.Goal {
    let leaf = TreeLeaf(path: "", shape: [], scalarType: .float64, position: 0, range: 0..<1)
    return goal(
      tolerances.first, analytic: [analytic], magnitudes: [f.scalarMagnitude],
      noise: [f.scalarNoise], leaves: [leaf])
  }

  /// The derivatives from the left and from the right.
  func oneSided(
    _ curve: (Double) -> [Double]?, _ goal: FiniteDifference.Goal
  ) -> OneSidedDerivatives {
    OneSidedDerivatives(
      left: FiniteDifference.estimate(of: curve, side: .left, firstStep: 1e-3, goal: goal),
      right: FiniteDifference.estimate(of: curve, side: .right, firstStep: 1e-3, goal: goal))
  }
}

/// Derivatives of a curve from the left and from the right, where they exist.
struct OneSidedDerivatives {
  let left: FiniteDifference?
  let right: FiniteDifference?

  /// The one-sided derivatives of an element if they differ by more than their errors explain.
  func kink(at index: Int, scale: Double = 1) -> Kink? {
    guard let left, let right else { return nil }
    let difference = (left.derivative[index] - right.derivative[index]).magnitude
    let error = GradientTolerance.errorInflation * (left.error[index] + right.error[index])
    let size = max(left.derivative[index].magnitude, right.derivative[index].magnitude)
    guard difference > error, difference > 1e-3 * size else { return nil }
    return Kink(left: left.derivative[index] * scale, right: right.derivative[index] * scale)
  }
}
