import Autodiff
import Inference

extension OrthogonalFit {
  /// The stationary point ω̂ of the debiased objective plus a penalty, with the sandwich covariance of
  /// its error: mean φ(ω̂) + ∇R(ω̂) = 0 and ω̂ − ω* ≈ −(∂ω mean φ + ∇²R)⁻¹ mean φᵢ(ω̂).
  ///
  /// Newton's method on the gradient with its exact derivative, which takes nuisances in linear
  /// classes: behind a trained network a second derivative does not exist. The root is accepted by its
  /// certificate (`SolutionCertificate`).
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
      let point = layout.vector(start, "OrthogonalFit.root", "start")
      let root = try orthogonalRoot(from: point) { ω throws(BilevelError) in
        try gradient(at: ω, of: objective)
      }
      let inverse: Tensor
      do { inverse = try solve(root.derivative, -Tensor.identity(layout.size)) } catch {
        throw .function(error)
      }
      let score = try single.hypergradient(at: layout.tree(root.point))
      return try inferring { () throws(InferenceError) in
        let influence = try score.mapped(by: inverse, names: layout.names).influence
        return try Estimate(value: root.point, names: layout.names, influence: influence)
      }
    }
  }
}

/// A root of an orthogonal gradient with the derivative there, by Newton's method and the certificate of
/// every inner problem.
///
/// - Throws: `OrthogonalError.rootNotIdentified` where the derivative is singular to rounding, and
///   `.rootNotFound` where the search does not end at a root.
func orthogonalRoot(
  from start: Tensor, of gradient: @escaping InnerProblem.VectorFunction
) throws(BilevelError) -> (point: Tensor, derivative: Tensor) {
  let problem = InnerProblem(kind: .root, start: start, scale: 0, residual: gradient)
  // Intervals are far wider than that; gradients at the root are asked to be zero.
  let stopping = StoppingRule(accuracy: 1e-11, maximumIterations: 100)
  let solution = try Newton(stopping: stopping).solve(problem)
  let jacobian: LinearOperator
  if let kept = solution.jacobian {
    jacobian = kept
  } else {
    jacobian = try problem.jacobian(at: solution.value)
  }
  let derivative = try jacobian.dense()
  if derivative.isFinite { try derivative.requireInvertible() }
  guard solution.status.isConverged else {
    throw .function(
      OrthogonalError.rootNotFound(
        iterations: solution.status.iterations, gradientNorm: solution.status.residual))
  }
  return (solution.value, derivative)
}
