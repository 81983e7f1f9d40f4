import Autodiff

/// What evaluations of F around x tell: how much of F is rounding, and where it is linear.
extension Certification {
  /// How vectors of F are measured.
  struct Probe {
    /// What makes the rows of F₁ of one size, so that the rounding of a row in large units does not
    /// hide another; nil takes F as it is.
    let rowScale: Tensor?

    func size(_ v: Tensor) -> Double { norm(rowScale.map { $0 * v } ?? v) }
  }

  /// How F changes with the last bits of x.
  struct Noise {
    /// Samples F₁⁻¹ (F(x ∘ (1 + ε s)) − F(x)): the same in x; empty where F₁⁻¹ is not at hand.
    let steps: [Tensor]
    /// The largest δᵀF of the samples.
    let energy: Double
    /// The largest norm of a sample in F.
    let size: Double

    /// How uncertain rounding leaves the elements of a range.
    func length(in range: Range<Int>) -> Double {
      steps.reduce(0) {
        max($0, norm(range.count == $1.elementCount ? $1 : $1[range]))
      }
    }
  }

  /// Samples at one and at four ulps of each unknown, with random signs.
  mutating func noise(_ newton: NewtonStep? = nil, _ probe: Probe) throws(SolverError) -> Noise {
    var generator = PhiloxGenerator(seed: 0x524F_554E)
    var (steps, energy, size) = ([Tensor](), 0.0, 0.0)
    for ulps in [1.0, 4.0] {
      let signs = sign(normalVector(like: x, using: &generator))
      let nearby = try problem.residual(x + (ulps * x.scalarType.ulpOfOne) * signs * x)
      evaluations += 1
      let change = combination(1, nearby, -1, residual)
      guard change.isFinite else { continue }
      size = max(size, probe.size(change))
      guard let step = newton?.factors?.solved(change, transposed: false).x, step.isFinite else {
        continue
      }
      steps.append(step)
      energy = max(energy, abs(inner(step, change)))
    }
    return Noise(steps: steps, energy: energy, size: size)
  }

  mutating func noise(_ probe: Probe) throws(SolverError) -> Noise { try noise(nil, probe) }

  /// 8 ε |f|, half of what an objective may seem to fall by rounding alone.
  mutating func objectiveRounding() throws(SolverError) -> Double? {
    guard let objective = problem.objective else { return nil }
    evaluations += 1
    let value = try objective(x).scalar
    return value.isFinite ? 8 * x.scalarType.ulpOfOne * abs(value) : nil
  }

  /// Whether F sees that it changes along the direction in which it changes least.
  ///
  /// Over some distance the change is what F₁ says, to a fifth. That is not so where F is flat by
  /// underflow or cancellation, or where a null direction of F₁ at a solution nearby hides in rounding.
  ///
  /// Distances over which rounding hides the change do not count.
  ///
  /// - Parameter noise: The rounding of F; nil measures it.
  mutating func isResolved(
    along direction: Tensor?, _ probe: Probe, _ noise: Double?
  ) throws(SolverError) -> Bool {
    guard let direction, direction.isFinite, norm(direction) > 0 else { return true }
    let rounding: Double
    if let noise { rounding = noise } else { rounding = try self.noise(probe).size }
    let change = probe.size(try jacobian(direction))
    if change == 0 { return false }
    let least = rounding / change
    // Within a part of every tensor of x, and next to zero within any distance.
    var scale = Double.infinity
    for range in blocks {
      let (length, size) = (norm(part(direction, range)), size(range))
      if length > 0, size > 0 { scale = min(scale, size / length) }
    }
    let root = accuracy.squareRoot()
    let near = scale.isFinite ? [0.01 * root, root, 1e-4 * root].map { $0 * scale } : []
    let any = [1e-8, 1e-4, 1, 1e-12].map { $0 / norm(direction) }
    for distance in near + any where distance >= least {
      if try isLinear(over: combination(distance, direction, 0, direction), probe) { return true }
    }
    // The shortest distance that rounding lets F see.
    guard rounding > 0 else { return false }
    let step = combination(16 * least, direction, 0, direction)
    return try isLinear(over: step, probe, slack: rounding)
  }

  /// Whether F(x + s) − F(x) is F₁ s, to a fifth of it and some rounding.
  mutating func isLinear(
    over step: Tensor, _ probe: Probe, slack: Double = 0
  ) throws(SolverError) -> Bool {
    let (deviation, change) = try nonlinearity(over: step, probe)
    return change > 0 && deviation <= 0.2 * change + slack
  }

  /// ‖F(x + s) − F(x) − F₁ s‖ and ‖F₁ s‖.
  mutating func nonlinearity(
    over step: Tensor, _ probe: Probe
  ) throws(SolverError) -> (deviation: Double, change: Double) {
    let image = try jacobian(step)
    let change = probe.size(image)
    if change == 0 { return (.infinity, 0) }
    let there = try problem.residual(combination(1, x, 1, step))
    evaluations += 1
    return (probe.size(combination(1, there, -1, residual, (-1, image))), change)
  }
}

extension LinearOperator {
  /// The refusal of a matrix with columns of zeros: unknowns that F does not depend on.
  ///
  /// Costs one product, once per operator.
  package func idleComponents() throws(SolverError) -> SolverStatus.Outcome? {
    let isIdle = try prepared(PreparationKey("idle components")) {
      () throws(SolverError) -> [Bool] in
      var generator = PhiloxGenerator(seed: 0x4944_4C45)
      let v = Tensor.normal([size], scalarType, using: &generator)
      return try transposedProduct(v).scalars.map { $0 == 0 }
    }
    guard isIdle.contains(true) else { return nil }
    let idle = blocks.compactMap { block -> (name: String, count: Int)? in
      let places = block.range.filter { isIdle[$0] }
      guard let first = places.first else { return nil }
      if places.count == block.range.count { return (block.name, places.count) }
      let name = block.name.isEmpty ? "component" : block.name
      let more = places.count > 1 ? " and \(places.count - 1) more" : ""
      return ("\(name)[\(first - block.range.lowerBound)]\(more)", places.count)
    }
    let total = Double(idle.reduce(0) { $0 + $1.count })
    return .singular(blocks: idle.map { .init(name: $0.name, share: Double($0.count) / total) })
  }
}
