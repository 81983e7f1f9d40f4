import Autodiff
import Inference

extension OrthogonalFit {
  /// The stationary point ω̂ of the debiased objective plus a penalty, with the sandwich covariance of
  /// its error: mean φ(ω̂) + ∇R(ω̂) = 0 and ω̂ − ω* ≈ −(∂ω mean φ + ∇²R)⁻¹ mean φᵢ(ω̂).
  ///
  /// Newton's method on the gradient with its exact derivative, which takes nuisances in linear
  /// classes: behind a trained network a second derivative does not exist.
  ///
  /// - Parameters:
  ///   - start: Where to begin.
  ///   - penalty: R, a smooth penalty on ω; the interval is for the penalised root then.
  /// - Throws: `OrthogonalError.rootNotIdentified` where the derivative is singular to rounding, and
  ///   `.rootNotFound` where the iteration does not end.
  public func root(
    from start: Outer, penalty: ((_ outer: Outer) throws -> Tensor)? = nil
  ) throws(BilevelError) -> Estimate {
    let layout = FlatLayout(of: start, "OrthogonalFit.root")
    requireConstant(start, "OrthogonalFit.root")
    return try aggregated { split throws(BilevelError) in
      let single = OrthogonalFit(splits: [split], sample: sample, settings: settings)
      func objective(_ ω: Tensor) throws(BilevelError) -> Tensor {
        let tree = layout.tree(ω)
        let value = try single.value(at: tree)
        guard let penalty else { return value }
        return value + (try calling { try penalty(tree) })
      }
      var point = layout.vector(start, "OrthogonalFit.root", "start")
      var slope = try gradient(at: point, of: objective)
      for _ in 0..<Self.maximumIterations {
        let derivative = try hessian(at: point, of: objective)
        try derivative.requireInvertible()
        let step: Tensor
        do { step = try solve(derivative, slope) } catch { throw .function(error) }
        (point, slope) = try damped(point, step, slope, objective)
        guard step.norm().scalar <= 1e-9 * (1 + point.norm().scalar) else { continue }
        let inverse: Tensor
        do { inverse = try solve(derivative, -Tensor.identity(layout.size)) } catch {
          throw .function(error)
        }
        let score = try single.hypergradient(at: layout.tree(point))
        return try inferring { () throws(InferenceError) in
          let influence = try score.mapped(by: inverse, names: layout.names).influence
          return try Estimate(value: point, names: layout.names, influence: influence)
        }
      }
      throw .function(
        OrthogonalError.rootNotFound(
          iterations: Self.maximumIterations, gradientNorm: slope.norm().scalar))
    }
  }

  private static var maximumIterations: Int { 50 }

  /// The point a step further, halved until the gradient is smaller.
  private func damped(
    _ point: Tensor, _ step: Tensor, _ slope: Tensor,
    _ objective: (Tensor) throws(BilevelError) -> Tensor
  ) throws(BilevelError) -> (Tensor, Tensor) {
    var length = 1.0
    let size = slope.norm().scalar
    for _ in 0..<20 {
      let next = point - length * step
      let there = try gradient(at: next, of: objective)
      if there.norm().scalar <= (1 - 1e-4 * length) * size || size <= 1e-13 { return (next, there) }
      length /= 2
    }
    // Rounding hides any further decrease.
    return (point, slope)
  }
}
