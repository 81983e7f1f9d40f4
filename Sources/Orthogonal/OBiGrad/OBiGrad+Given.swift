import Autodiff
import Bilevel
import Solvers

extension OBiGrad {
  /// The scores with nuisances that are given as functions of ω and x: the truth of a simulation, or
  /// models fitted elsewhere.
  ///
  /// Their Jacobians in ω are taken by differentiating the closures.
  ///
  /// - Parameters:
  ///   - sample: The observations; all are scored.
  ///   - prediction: h_ω, from [n, p] to [n, q].
  ///   - adjoint: a_ω, from [n, p] to [n, q].
  @preconcurrency
  public func fit(
    on sample: BilevelSample<InnerLabels, OuterLabels>,
    prediction: @escaping @Sendable (_ outer: Outer, _ x: Tensor) throws -> Tensor,
    adjoint: @escaping @Sendable (_ outer: Outer, _ x: Tensor) throws -> Tensor
  ) throws(SolverError) -> OrthogonalFit<Outer> {
    try sample.requireFinite()
    let (inner, outer) = pointwiseLosses
    let (isOrthogonal, isOneSample) = (isOrthogonal, sample.isOneSample)
    let rows = DebiasedRows<Outer>(
      values: { ω, shift throws(SolverError) in
        var outerPrediction = try calling { try prediction(ω, sample.outer.inputs) }
        if let shift { outerPrediction += shift.outerPrediction }
        let outerValues = try outer.values(ω, outerPrediction, sample.outer)
        guard isOrthogonal else { return (outerValues, nil) }
        var innerPrediction = outerPrediction
        if !isOneSample {
          innerPrediction = try calling { try prediction(ω, sample.inner.inputs) }
          if let shift { innerPrediction += shift.innerPrediction }
        }
        var a = try calling { try adjoint(ω, sample.inner.inputs) }
        if let shift { a += shift.adjoint }
        return (outerValues, try inner.pairing(a, ω, innerPrediction, sample.inner))
      },
      inputs: (sample.inner.inputs, sample.outer.inputs), outputCount: outputCount)
    let fold = OrthogonalFit<Outer>.Fold(
      rows: rows, inner: Tensor(indices: Array(0..<sample.inner.count)),
      outer: Tensor(indices: Array(0..<sample.outer.count)))
    return OrthogonalFit(
      splits: [.init(folds: [fold])], sample: sample.description,
      settings: CrossFittedSettings(score: scoreName))
  }

  /// A word for the score; a baseline says what it is.
  var scoreName: String { isOrthogonal ? "orthogonal (efficient)" : AffineScore.plugIn.name }

  /// ℓ_in and ℓ_out as losses of a prediction.
  var pointwiseLosses:
    (inner: PointwiseLoss<Outer, InnerLabels>, outer: PointwiseLoss<Outer, OuterLabels>)
  {
    switch losses {
    case .general(let inner, let outer): return (inner, outer)
    case .quadratic(let targets):
      let inner = PointwiseLoss<Outer, InnerLabels> { ω, v, x, y in
        0.5 * square(v - (try targets.inner(ω, x, y))).sum(alongAxis: 1)
      }
      let outer = PointwiseLoss<Outer, OuterLabels> { ω, v, x, y in
        var target = try targets.outer(ω, x, y)
        if let known = try targets.knownOuter?(ω, x) { target += known }
        return 0.5 * square(v - target).sum(alongAxis: 1)
      }
      return (inner, outer)
    }
  }
}

extension PointwiseLoss {
  /// aᵢᵀ ∂ᵥℓᵢ of every row, [n].
  func pairing(
    _ a: Tensor, _ outer: Outer, _ v: Tensor, _ sample: FunctionalSample<Labels>
  ) throws(SolverError) -> Tensor {
    let slope = try gradient(at: v) { v throws(SolverError) in
      try values(outer, v, sample).sum()
    }
    return (a * slope).sum(alongAxis: 1)
  }
}
