import Autodiff

/// Second derivatives in every mixture of modes, against differences of first derivatives that have
/// been checked, and against each other.
///
/// H is the Hessian of ⟨u, f⟩; with d along the point's typical sizes, H d is compared.
extension CheckRun {
  private static var directionCount: Int { 3 }
  private static var checks: [GradientReport.Check] {
    [.forwardOverReverse, .reverseOverReverse, .reverseOverForward, .forwardOverForward, .modes]
  }

  func checkSecondOrder(of f: CheckedFunction<Input, Output, E>) throws(E) {
    guard !findings.hasFailures else {
      return findings.skip(Self.checks, because: "an earlier check failed")
    }
    for check in Self.checks { findings.begin(check) }
    guard f.isDifferentiable else { return }
    let gradient = try f.gradient()
    let noise = f.noise(of: f.gradients(along: f.noiseDirection), count: f.input.count)
    for _ in 0..<Self.directionCount {
      let d = zip(f.steps, generator.unitVector(f.input.count)).map(*)
      try compareHessianProducts(gradient, noise, along: d, f)
      let w = zip(f.steps, generator.unitVector(f.input.count)).map(*)
      try compareSecondTangent(of: d, along: w, f)
    }
  }

  /// H d by three mixtures, against d/dt Jᵀu at x + t d.
  private func compareHessianProducts(
    _ gradient: [Double], _ noise: [Double], along d: [Double],
    _ f: CheckedFunction<Input, Output, E>
  ) throws(E) {
    let x = f.input.tree
    let direction = f.input.direction(d)
    let u = f.output.direction(f.cotangent)
    let forwardOverReverse = try jvp(at: x, along: direction) { x throws(E) in
      try f.gradient(at: x)
    }.tangent
    let reverseOverReverse = try vjp(at: x) { x throws(E) in try f.gradient(at: x) }
      .pullback(direction)
    let reverseOverForward = try vjp(at: x) { x throws(E) in
      try f.tangent(along: direction, at: x)
    }.pullback(u)
    let baseline = f.input.elements(of: forwardOverReverse) ?? []
    let magnitudes = magnitudes(
      of: gradient, f.steps.map { f.scalarMagnitude / $0 }, f.input.leaves)
    let goal = goal(
      tolerances.second, analytic: baseline, magnitudes: magnitudes, noise: noise,
      leaves: f.input.leaves)
    let reference = Reference(
      FiniteDifference.estimate(of: f.gradients(along: d), goal: goal), count: f.input.count)
    let modes = GradientTolerance(relative: tolerances.modes, absolute: tolerances.modes)
    let floors = magnitudes.map { $0 * GradientTolerance.resolution }
    for (check, product) in [
      (GradientReport.Check.forwardOverReverse, forwardOverReverse),
      (.reverseOverReverse, reverseOverReverse), (.reverseOverForward, reverseOverForward),
    ] {
      let elements = f.input.elements(of: product) ?? []
      findings.compare(
        check, f.input.leaves, elements, reference, tolerances.second, floors: floors)
      if check == .forwardOverReverse { continue }
      findings.compare(
        .modes, f.input.leaves, elements, Reference(exact: baseline), modes, floors: floors,
        note: check.rawValue)
    }
  }

  /// The second derivative of f along d and w, against d/dt of J d at x + t w.
  private func compareSecondTangent(
    of d: [Double], along w: [Double], _ f: CheckedFunction<Input, Output, E>
  ) throws(E) {
    let direction = f.input.direction(d)
    let second = try jvp(at: f.input.tree, along: f.input.direction(w)) { x throws(E) in
      try f.tangent(along: direction, at: x)
    }.tangent
    let elements = f.output.elements(of: second) ?? []
    let magnitudes = magnitudes(
      of: try f.tangent(along: d), f.value.map(\.magnitude), f.output.leaves)
    let goal = goal(
      tolerances.second, analytic: elements, magnitudes: magnitudes,
      noise: f.noise(of: f.tangents(of: d, along: f.noiseDirection), count: f.output.count),
      leaves: f.output.leaves)
    let reference = Reference(
      FiniteDifference.estimate(of: f.tangents(of: d, along: w), goal: goal),
      count: f.output.count)
    findings.compare(
      .forwardOverForward, f.output.leaves, elements, reference, tolerances.second,
      floors: magnitudes.map { $0 * GradientTolerance.resolution })
  }

  /// The size of the terms of a first derivative: the largest element of its tensor, since the terms
  /// that cancelled to a small element are seldom larger than the derivative around it, or the
  /// value over the size of a step, where the whole derivative cancelled.
  private func magnitudes(
    of derivative: [Double], _ values: [Double], _ leaves: [TreeLeaf]
  ) -> [Double] {
    leaves.flatMap { leaf in
      let largest = derivative[leaf.range].largestMagnitude
      return leaf.range.map { max(largest, values[$0]) }
    }
  }
}
