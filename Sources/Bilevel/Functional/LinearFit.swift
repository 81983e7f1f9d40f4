import Autodiff
import Solvers

/// The inner problem in a linear class, as a problem of its weights.
///
///     W* = argmin L(ω, φ̃ W) + λ ‖W‖²,   F(W) = Σᵢ φ̃ᵢ wᵢ ∂ᵥℓᵢᵀ + 2 λ W
///
/// Solved by damped Newton steps, whose matrix comes from the pointwise curvature: one step where
/// the loss is quadratic.
struct LinearFit<Outer: TensorTree, Labels: TensorTree> {
  let loss: PointwiseLoss<Outer, Labels>
  let outer: Outer
  let sample: FunctionalSample<Labels>
  let features: Tensor
  let penalty: RidgePenalty
  let outputCount: Int

  /// Weights with the evidence, and the curvature that the last step used.
  struct Result {
    let weights: Tensor
    let status: SolverStatus
    fileprivate let curvature: Curvature
  }

  /// The pointwise curvature at some weights, factorised.
  struct Curvature {
    let form: OutputCurvature
    let equations: NormalEquations
  }

  /// L(ω, φ̃ W) + λ ‖W‖², a scalar.
  func objective(_ w: Tensor) throws(SolverError) -> Tensor {
    let mean = try loss.mean(outer, matmul(features, w), sample)
    guard let penalty = penalty.value(w) else { return mean }
    return mean + penalty
  }

  /// F(W), [r, d].
  func residual(_ w: Tensor) throws(SolverError) -> Tensor {
    let slope = try loss.slope(outer, matmul(features, w), sample)
    let projected = matmul(features, slope, transposeA: true)
    guard let penalty = penalty.gradient(w) else { return projected }
    return projected + penalty
  }

  /// The minimum, at constants.
  ///
  /// Newton steps δ in the norm √(δᵀ G δ) of the curvature G, which is that of the predictions: weights of
  /// nearly dependent features are uncertain, and no matter. From where a step is at most τ of the
  /// weights, each has to be five times shorter than the one before it, down to rounding: on the way to a
  /// minimum at infinity it is not, however little of the whole that part may be.
  func solved(from start: Tensor?) throws(SolverError) -> Result {
    let type = features.scalarType
    let accuracy = StoppingRule().accuracy(for: type)
    var w = start ?? Tensor.zeros([features.shape[1], outputCount], type)
    var slope = try residual(w)
    var history = [norm(slope.flattened())]
    var curvature = try curvature(at: w, unless: nil)
    var outcome = SolverStatus.Outcome.iterationLimit
    /// Whether a short step was not five times shorter than the one before it.
    var isSlow = false
    for iteration in 0..<Self.maximumIterations {
      guard let size = history.last, size.isFinite else {
        outcome = .notFinite
        break
      }
      if iteration > 0 { curvature = try self.curvature(at: w, unless: curvature) }
      let step = try solve(curvature, slope)
      let (scale, length) = (energy(w, curvature.equations.product(w)), energy(slope, step))
      let isShort = length <= accuracy * scale
      let descended = isShort ? nil : try descended(from: w, along: step, slope: slope)
      // Where no descent is seen the slope decides, which resolves more than the objective.
      let next = descended ?? w - step
      let nextSlope = try residual(next)
      if descended != nil {
        (w, slope) = (next, nextSlope)
        history.append(norm(slope.flattened()))
        continue
      }
      let remainder = energy(nextSlope, try solve(curvature, nextSlope))
      let isContraction = remainder <= 0.2 * length
      let isRounding =
        try isContraction ? length == 0 : length <= 16 * rounding(at: w, slope, curvature)
      if remainder < length {
        (w, slope) = (next, nextSlope)
        history.append(norm(slope.flattened()))
      }
      if isRounding {
        let isNear = isShort || length <= accuracy.squareRoot() * scale
        outcome = isNear && !isSlow ? .converged : .stalled
        break
      }
      if !isContraction { isSlow = true }
      if remainder >= length {
        outcome = .stalled
        break
      }
    }
    let status = SolverStatus(
      method: "FuncID, \(curvature.form.name) curvature", outcome: outcome, history: history,
      threshold: accuracy * history[0], scale: history[0], evaluations: history.count)
    return Result(weights: w, status: status, curvature: curvature)
  }

  /// How much of a step the last bits of w make, the largest of two samples.
  private func rounding(
    at w: Tensor, _ slope: Tensor, _ curvature: Curvature
  ) throws(SolverError) -> Double {
    var generator = PhiloxGenerator(seed: 0x524F_554E)
    var largest = 100 * w.scalarType.ulpOfOne * energy(w, curvature.equations.product(w))
    for _ in 0..<2 {
      let signs = sign(Tensor.normal(w.shape, w.scalarType, using: &generator))
      let change = try residual(w + (w.scalarType.ulpOfOne * signs) * w) - slope
      largest = max(largest, energy(change, try solve(curvature, change)))
    }
    return largest
  }

  private func solve(_ curvature: Curvature, _ slope: Tensor) throws(SolverError) -> Tensor {
    do { return try curvature.equations.solve(slope) } catch { throw .function(error) }
  }

  /// √(uᵀ v) of a direction and its image.
  private func energy(_ u: Tensor, _ v: Tensor) -> Double {
    max(0, inner(u.flattened(), v.flattened())).squareRoot()
  }

  /// The curvature at the solution, which is not that of the last step unless the loss is quadratic.
  func curvature(at result: Result) throws(SolverError) -> Curvature {
    try curvature(at: result.weights, unless: result.curvature)
  }

  private static var maximumIterations: Int { 100 }

  /// The curvature at w; a known one where it is the same, whose factors then serve again.
  private func curvature(
    at w: Tensor, unless known: Curvature?
  ) throws(SolverError) -> Curvature {
    let form = try loss.curvature(outer, matmul(features, w), sample)
    if let known, form.isEqual(to: known.form) { return known }
    do {
      return Curvature(
        form: form,
        equations: try NormalEquations(
          features: features, sample: sample, curvature: form, outputCount: outputCount,
          penalty: penalty))
    } catch {
      throw .function(FunctionalError.notStronglyConvex(curvature: nil))
    }
  }

  /// w − t step with the largest t of 1, ½, ¼, … that lowers the objective enough; nil where none
  /// does.
  private func descended(
    from w: Tensor, along step: Tensor, slope: Tensor
  ) throws(SolverError) -> Tensor? {
    let value = (try objective(w)).scalar
    let decrease = inner(slope.flattened(), step.flattened())
    let rounding = 4 * w.scalarType.ulpOfOne * value.magnitude
    var length = 1.0
    for _ in 0..<30 {
      let candidate = w - length * step
      let there = (try objective(candidate)).scalar
      if there <= value - 1e-4 * length * decrease + rounding {
        // Where rounding hides the decrease, only a smaller residual is progress.
        if there < value - rounding { return candidate }
        let before = norm(slope.flattened())
        return norm((try residual(candidate)).flattened()) < before ? candidate : nil
      }
      length /= 2
    }
    return nil
  }
}

/// Solves systems with the Hessian of a linear fit by its normal equations.
///
/// The residual it reports is taken with the operator, which knows nothing of them.
package struct NormalEquationsSolver: LinearSolver, @unchecked Sendable {
  // Safety of @unchecked Sendable: immutable tensors.
  let equations: NormalEquations
  let shape: Shape

  package init(equations: NormalEquations, shape: Shape) {
    (self.equations, self.shape) = (equations, shape)
  }

  package var tolerance: Double? { nil }

  package func solve(_ system: LinearSystem) throws(SolverError) -> LinearSolution {
    let (b, tolerance) = (system.rightHandSide, system.tolerance)
    let scale = norm(b)
    var x = Tensor.zeros(like: b)
    var (residual, history) = (b, [scale])
    // All but the first are steps of refinement: the matrix may be that of a point nearby.
    for _ in 0..<10 where norm(residual) > tolerance * scale {
      let step: Tensor
      do {
        step = try equations.solve(residual.reshaped(to: shape)).flattened()
      } catch {
        throw .function(error)
      }
      let next = try system.residual(at: x + step)
      guard norm(next) < norm(residual) else { break }
      (x, residual) = (x + step, next)
      history.append(norm(next))
    }
    let status = SolverStatus(
      method: "closed-form adjoint",
      outcome: norm(residual) <= tolerance * scale ? .converged : .stalled, history: history,
      threshold: tolerance * scale, scale: scale, evaluations: history.count)
    return LinearSolution(value: x, status: status)
  }
}
