import Autodiff

/// The nuisances h_ω and a_ω of general losses on one fold, as differentiable operators.
///
///     h = argmin mean ℓ_in(ω, h(x), o) over the training rows of the inner sample
///     a = argmin mean ½ aᵀ ∂²ᵥℓ_in a over inner + mean ∂ᵥℓ_outᵀ a over outer training rows
struct GeneralNuisances<Outer: TensorTree, InnerLabels: TensorTree, OuterLabels: TensorTree> {
  private let inner: PointwiseLoss<Outer, InnerLabels>
  private let outer: PointwiseLoss<Outer, OuterLabels>
  private let data: FoldData<InnerLabels, OuterLabels>
  private let isOrthogonal: Bool
  private let layer: FuncID<Outer, InnerLabels>
  private let generator: PhiloxGenerator

  init(
    inner: PointwiseLoss<Outer, InnerLabels>, outer: PointwiseLoss<Outer, OuterLabels>,
    outputCount: Int, data: FoldData<InnerLabels, OuterLabels>, isOrthogonal: Bool,
    learner: NuisanceLearner, at point: Outer, _ generator: PhiloxGenerator
  ) throws(BilevelError) {
    self.inner = inner
    self.outer = outer
    self.data = data
    self.isOrthogonal = isOrthogonal
    func layer(_ functionClass: FunctionClass) -> FuncID<Outer, InnerLabels> {
      FuncID(outputCount: outputCount, in: functionClass, innerLoss: inner.function)
    }
    let point = stopGradient(point)
    let sample = data.training.inner.constant
    // Learners that compare classes do so by the inner loss on a part of the training rows.
    var fold = NuisanceFold(
      inputs: sample.inputs, targets: nil, generator: generator.split(key: 1)
    ) { linearClass in
      var draws = generator.split(key: 0)
      let parts = try Folds(3, ofRows: sample.count, using: &draws)
      let validation = sample.rows(parts.held(0))
      let h = try layer(.linear(linearClass))
        .solution(at: point, on: sample.rows(parts.training(0)))
      return try inner.mean(point, h(validation.inputs), validation).scalar
    }
    self.layer = layer(try learner.functionClass(for: &fold))
    self.generator = generator.split(key: 2)
  }

  var rows: DebiasedRows<Outer> {
    DebiasedRows(
      values: { ω, shift throws(BilevelError) in try values(ω, shift) },
      inputs: (data.held.inner.inputs, data.held.outer.inputs), outputCount: layer.outputCount)
  }

  private func values(
    _ ω: Outer, _ shift: DebiasedRows<Outer>.Shift?
  ) throws(BilevelError) -> (outer: Tensor, inner: Tensor?) {
    // A state of its own for every ω: what was evaluated before must not move an estimate.
    let state = FunctionalState()
    state.generator = generator
    let h = try layer.solution(at: ω, on: data.training.inner, state: state)
    var outerPrediction = try h(data.held.outer.inputs)
    if let shift { outerPrediction += shift.outerPrediction }
    let outerValues = try outer.values(ω, outerPrediction, data.held.outer)
    guard isOrthogonal else { return (outerValues, nil) }
    var innerPrediction = data.isOneSample ? outerPrediction : try h(data.held.inner.inputs)
    if !data.isOneSample, let shift { innerPrediction += shift.innerPrediction }
    let adjoint = AdjointNuisance(
      inner: inner, outer: outer, data: data.training, linearClass: adjointClass(state))
    var a = try adjoint.solution(at: ω, h, outputCount: layer.outputCount)(data.held.inner.inputs)
    if let shift { a += shift.adjoint }
    return (outerValues, try inner.pairing(a, ω, innerPrediction, data.held.inner))
  }

  /// Where a is sought: the class of h, or the trained features of its network with a constant.
  private func adjointClass(_ state: FunctionalState) -> LinearClass {
    switch layer.functionClass {
    case .linear(let linearClass): return linearClass
    case .network(let networkClass):
      var ridge = 1e-6
      if case .closedForm(let own) = networkClass.head { ridge = own }
      return .network(state.prediction?.network.features ?? networkClass.features, ridge: ridge)
    }
  }
}

/// The adjoint function a_ω in a linear class, a differentiable operator of ω.
///
/// Its weights solve
///
///     Φ_innerᵀ [∂²ᵥℓ_in (Φ_inner A)] + Φ_outerᵀ ∂ᵥℓ_out + 2 λ A = 0   with means over both samples.
struct AdjointNuisance<Outer: TensorTree, InnerLabels: TensorTree, OuterLabels: TensorTree> {
  let inner: PointwiseLoss<Outer, InnerLabels>
  let outer: PointwiseLoss<Outer, OuterLabels>
  let data: (inner: FunctionalSample<InnerLabels>, outer: FunctionalSample<OuterLabels>)
  let linearClass: LinearClass

  /// x ↦ a_ω(x).
  func solution(
    at ω: Outer, _ h: FunctionalSolution, outputCount: Int
  ) throws(BilevelError) -> (Tensor) -> Tensor {
    let basis = try FeatureBasis(linearClass, on: data.inner)
    let (innerFeatures, outerFeatures) = (basis(data.inner.inputs), basis(data.outer.inputs))
    let shape: Shape = [basis.count, outputCount]
    let innerPrediction = try h(data.inner.inputs)
    let outerSlope = try outer.slope(ω, try h(data.outer.inputs), data.outer)
    let moment = matmul(outerFeatures, outerSlope, transposeA: true)
    func residual(_ weights: Tensor) throws(BilevelError) -> Tensor {
      let weights = weights.reshaped(to: shape)
      let curved = try inner.curvatureProduct(
        ω, innerPrediction, data.inner, along: matmul(innerFeatures, weights))
      let product = matmul(innerFeatures, data.inner.weighted(curved), transposeA: true)
      let penalty = linearClass.penalty.gradient(weights) ?? .zeros(shape)
      return (product + moment + penalty).flattened()
    }
    let equations = try hidingLevels { () throws(BilevelError) in
      let constants = data.inner.constant
      do {
        return try NormalEquations(
          features: stopGradient(innerFeatures), sample: constants,
          curvature: try inner.curvature(
            stopGradient(ω), stopGradient(innerPrediction), constants),
          outputCount: outputCount, penalty: linearClass.penalty)
      } catch let error as BilevelError {
        throw error
      } catch {
        throw BilevelError.function(FunctionalError.notStronglyConvex(curvature: nil))
      }
    }
    let found: Tensor
    do { found = try equations.solve(-stopGradient(moment)) } catch { throw .function(error) }
    let system = ImplicitSystem(
      name: "OBiGrad", residual: residual,
      adjoint: AdjointSettings(
        solver: NormalEquationsSolver(equations: equations, shape: shape), tolerance: 1e-11,
        isMatched: true, scalarType: .float64,
        blocks: [VectorBlock(name: linearClass.name, range: 0..<found.elementCount)],
        onFailure: .throw),
      record: TrustRecord(
        inner: SolverStatus(
          method: "OBiGrad, adjoint nuisance", outcome: .converged, history: [], threshold: 0,
          scale: 0, evaluations: 1)),
      cache: ImplicitSystem.Cache())
    let weights = try system.differentiable(found.flattened()).reshaped(to: shape)
    return { x in matmul(basis(x), weights) }
  }
}
