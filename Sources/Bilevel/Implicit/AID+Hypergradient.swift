import Autodiff
import Solvers

/// g(x, y) of trees.
public typealias OuterLoss<Inner, Outer> = (Inner, Outer) throws -> Tensor

extension AID {
  /// The hypergradient d/dy g(x*(y), y) by a chosen estimator, with its trust record.
  ///
  /// - Parameters:
  ///   - outer: y.
  ///   - inner: A point x near x*(y) to be taken as it is; nil solves the inner problem.
  ///   - estimator: The formula.
  ///   - errorEstimate: How to estimate the error; it costs one more hypergradient.
  ///   - warmStart: Where the solves start.
  ///   - loss: g, a scalar.
  /// - Returns: The estimate, zero for a tensor of y that neither problem depends on. It has no
  ///   derivative of its own: using it where one would be needed stops the program.
  /// - Throws: `SolverError` where the inner problem or an adjoint system is not solved.
  public func hypergradient(
    at outer: Outer, evaluatedAt inner: Inner? = nil,
    estimator: HypergradientEstimator<Outer> = .plain,
    errorEstimate: ErrorEstimate? = nil, warmStart: WarmStart<Inner>? = nil,
    of loss: OuterLoss<Inner, Outer>
  ) throws(SolverError) -> Hypergradient<Inner, Outer> {
    let result = try hidingLevels { () throws(SolverError) in
      let outer = stopGradient(outer)
      let (x, status) = try startingPoint(outer, inner, warmStart)
      let estimation = Estimation(
        layer: self, estimator: estimator, status: status, warmStart: warmStart)
      let (moved, movedStatus) = try estimation.moved(x, outer, status)
      if onFailure == .throw, status.isConverged, !movedStatus.isConverged {
        throw .unsolved(movedStatus, of: .inner)
      }
      let record = TrustRecord(inner: movedStatus)
      let (value, gradient) = try estimation.estimate(moved, outer, record, loss)
      // A solver may stop a little above its target by rounding alone.
      record.judgeAdjoint(
        needed: 2 * matchedTolerance(status, order: estimator.order, scalarType: layout.scalarType))
      // A step that overshoots is no better start than the point before it.
      warmStart?.inner = layout.tree(movedStatus.residual <= status.residual ? moved : x)
      if let errorEstimate {
        estimateError(
          of: gradient, at: moved, outer: outer, status: movedStatus, by: errorEstimate,
          into: record, loss: loss)
      }
      return Hypergradient(
        value: value, gradient: gradient, inner: layout.tree(moved), record: record)
    }
    return Hypergradient(
      value: withoutDerivative(result.value, outer, inner),
      gradient: withoutDerivative(result.gradient, outer, inner),
      inner: withoutDerivative(result.inner, outer, inner), record: result.record)
  }

  /// An estimate as a value without a derivative: a transform around it could ask for one, and the
  /// formulas here give none.
  func withoutDerivative<T: TensorTree>(_ tree: T, _ outer: Outer, _ inner: Inner? = nil) -> T {
    refusingDerivatives(
      tree, like: outer.tensors + (inner?.tensors ?? []),
      reason: """
        an estimate of a bilevel layer is used where its derivative would be needed, and it has \
        none. Differentiate a closure that calls solution(at:), to any order, or use stopGradient
        """)
  }

  /// The Jacobian Ω̃₁ of an estimator in the inner variable at x, [m, n]: to first order, the
  /// estimate's error is Ω̃₁ (x − x*).
  ///
  /// - Parameter inner: x*, to working precision. Where a preconditioner depends on x its
  ///   derivative is left out, because it multiplies F(x*) = 0.
  /// - Precondition: The step of the estimator, if any, is linear in F (not conjugate gradients).
  public func estimatorJacobian(
    at outer: Outer, evaluatedAt inner: Inner, estimator: HypergradientEstimator<Outer>,
    of loss: OuterLoss<Inner, Outer>
  ) throws(SolverError) -> Tensor {
    if let step = estimator.step, !step.isLinear {
      stop(
        "AID.estimatorJacobian",
        "the step of the estimator is not linear in F, so the estimator has no Jacobian")
    }
    let result = try hidingLevels { () throws(SolverError) in
      let outer = stopGradient(outer)
      let (x, status) = try startingPoint(outer, inner, nil)
      let estimation = Estimation(layer: self, estimator: estimator, status: status, warmStart: nil)
      let step = try estimation.linearStep(x, outer)
      let target = FlatLayout(of: outer, "AID.estimatorJacobian")
      return try jacobian(at: x, mode: .forward) { x throws(SolverError) in
        let moved = try step?(x) ?? x
        let record = TrustRecord(inner: status)
        let (_, gradient) = try estimation.estimate(moved, outer, record, loss)
        return target.vector(gradient, "AID.estimatorJacobian", "hypergradient")
      }
    }
    return withoutDerivative(result, outer, inner)
  }

  /// The efficiency constant C_y = ‖Ω̃₁‖₂: the best constant in
  /// ‖estimate − exact‖ ≤ C_y ‖x − x*‖ + O(‖x − x*‖²).
  ///
  /// See `estimatorJacobian`; 0 means super-efficient.
  public func efficiencyConstant(
    at outer: Outer, evaluatedAt inner: Inner, estimator: HypergradientEstimator<Outer>,
    of loss: OuterLoss<Inner, Outer>
  ) throws(SolverError) -> Double {
    if isBeingDifferentiated {
      stop(
        "AID.efficiencyConstant",
        """
        a transform is running, and the result is a number, which has no derivative. Call it \
        outside the transform
        """)
    }
    let jacobian = try estimatorJacobian(
      at: outer, evaluatedAt: inner, estimator: estimator, of: loss)
    guard jacobian.elementCount > 0 else { return 0 }
    guard jacobian.isFinite else { return abs(jacobian).max().scalar }
    return try calling { try singularValues(jacobian).max().scalar }
  }

  /// A given point with its residual as evidence, or the solution.
  private func startingPoint(
    _ outer: Outer, _ inner: Inner?, _ warmStart: WarmStart<Inner>?
  ) throws(SolverError) -> (Tensor, SolverStatus) {
    guard let inner else {
      var layer = self
      // A preconditioned estimator takes its own step.
      layer.correction = nil
      let found = try layer.found(at: outer, from: warmStart?.inner)
      return (found.value, found.status)
    }
    let problem = problem(at: outer)
    let x = stopGradient(layout.vector(inner, "AID.hypergradient", "inner point"))
    let scale = norm(try problem.residual(layout.vector(initial, "AID", "initial point")))
    let residual = norm(try problem.residual(x))
    let status = SolverStatus(
      method: "given point", outcome: residual == 0 ? .converged : .inaccurate,
      history: [residual], threshold: 0, scale: scale, evaluations: 1)
    return (x, status)
  }
}
