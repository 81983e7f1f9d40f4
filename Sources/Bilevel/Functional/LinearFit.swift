import Autodiff

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
  let ridge: Double
  let outputCount: Int

  /// Weights with the evidence, and the factorised curvature at them.
  struct Result {
    let weights: Tensor
    let status: SolverStatus
    let curvature: OutputCurvature
    let normalEquations: NormalEquations
  }

  /// L(ω, φ̃ W) + λ ‖W‖², a scalar.
  func objective(_ w: Tensor) throws(BilevelError) -> Tensor {
    let mean = try loss.mean(outer, matmul(features, w), sample)
    return ridge == 0 ? mean : mean + ridge * square(w).sum()
  }

  /// F(W), [r, d].
  func residual(_ w: Tensor) throws(BilevelError) -> Tensor {
    let slope = try loss.slope(outer, matmul(features, w), sample)
    let projected = matmul(features, slope, transposeA: true)
    return ridge == 0 ? projected : projected + (2 * ridge) * w
  }

  /// The relative residual that rounding allows.
  private var tolerance: Double { features.scalarType == .float32 ? 2e-5 : 1e-12 }

  /// The minimum, at constants.
  func solved(from start: Tensor?) throws(BilevelError) -> Result {
    let zero = Tensor.zeros([features.shape[1], outputCount], features.scalarType)
    let scale = norm((try residual(zero)).flattened())
    // Where zero is the solution there is no scale to measure another start by.
    var w = scale == 0 ? zero : start ?? zero
    var slope = try residual(w)
    var history = [norm(slope.flattened())]
    let threshold = tolerance * scale
    var (curvature, equations) = try factorized(at: w)
    var isQuadratic = false
    var outcome = SolverStatus.Outcome.iterationLimit
    for iteration in 0..<Self.maximumIterations {
      guard let size = history.last, size.isFinite else {
        outcome = .notFinite
        break
      }
      if size <= threshold {
        outcome = .converged
        break
      }
      if iteration > 0, !isQuadratic { (curvature, equations) = try factorized(at: w) }
      let step: Tensor
      do { step = try equations.solve(slope) } catch { throw .function(error) }
      guard let next = try descended(from: w, along: step, slope: slope) else {
        outcome = .stalled
        break
      }
      w = next
      slope = try residual(w)
      history.append(norm(slope.flattened()))
      // A Newton step of a quadratic problem ends it; then its matrix serves for refinement.
      isQuadratic = iteration == 0 && history[1] <= 1e-3 * history[0]
    }
    if !isQuadratic, history.count > 1 { (curvature, equations) = try factorized(at: w) }
    let status = SolverStatus(
      method: "FuncID, \(curvature.name) curvature", outcome: outcome, history: history,
      threshold: threshold, scale: scale, evaluations: history.count)
    return Result(
      weights: w, status: status, curvature: curvature, normalEquations: equations)
  }

  private static var maximumIterations: Int { 100 }

  private func factorized(
    at w: Tensor
  ) throws(BilevelError) -> (OutputCurvature, NormalEquations) {
    let curvature = try loss.curvature(outer, matmul(features, w), sample)
    do {
      return (
        curvature,
        try NormalEquations(
          features: features, sample: sample, curvature: curvature, outputCount: outputCount,
          ridge: ridge)
      )
    } catch {
      throw .function(FunctionalError.notStronglyConvex(curvature: nil))
    }
  }

  /// w − t step with the largest t of 1, ½, ¼, … that lowers the objective enough; nil where none
  /// does.
  private func descended(
    from w: Tensor, along step: Tensor, slope: Tensor
  ) throws(BilevelError) -> Tensor? {
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
struct NormalEquationsSolver: LinearSolver, @unchecked Sendable {
  // Safety of @unchecked Sendable: immutable tensors.
  let equations: NormalEquations
  let shape: Shape

  var tolerance: Double? { nil }

  func solve(
    _ a: LinearOperator, _ b: Tensor, transposed: Bool, from start: Tensor?, tolerance: Double
  ) throws(BilevelError) -> LinearSolution {
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
      let next = b - (try a.product(x + step, transposed: transposed))
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
