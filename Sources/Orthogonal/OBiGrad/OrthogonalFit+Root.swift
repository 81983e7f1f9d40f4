import Autodiff
import Inference
import Solvers

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
    startingAt start: Outer, penalty: ((_ outer: Outer) throws -> Tensor)? = nil
  ) throws(SolverError) -> Estimate {
    let layout = FlatLayout(of: start, "OrthogonalFit.root")
    requireConstant(start, "OrthogonalFit.root")
    return try Estimate.aggregated(splits) { split throws(SolverError) in
      let single = OrthogonalFit(splits: [split], sample: sample, settings: settings)
      func objective(_ ω: Tensor) throws(SolverError) -> Tensor {
        let tree = layout.tree(ω)
        let value = try single.value(at: tree)
        guard let penalty else { return value }
        return value + (try calling { try penalty(tree) })
      }
      let point = layout.vector(start, "OrthogonalFit.root", "start")
      let root = try orthogonalRoot(from: point) { ω throws(SolverError) in
        try gradient(at: ω, of: objective)
      }
      let score = try single.hypergradient(at: layout.tree(root.point))
      return try score.root(at: root.point, derivative: root.derivative, names: layout.names)
    }
  }
}
