import Autodiff
import Bilevel
import Solvers

/// The nuisances h_ω and a_ω of general losses on one fold, as differentiable operators.
///
///     h = argmin mean ℓ_in(ω, h(x), o) over the training rows of the inner sample
///     a = argmin mean ½ aᵀ ∂²ᵥℓ_in a over inner + mean ∂ᵥℓ_outᵀ a over outer training rows
struct GeneralNuisances<
  Outer: TensorTree, InnerLabels: TensorTree & Sendable, OuterLabels: TensorTree & Sendable
>: Sendable {
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
  ) throws(SolverError) {
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
      values: { ω, shift throws(SolverError) in try values(ω, shift) },
      inputs: (data.held.inner.inputs, data.held.outer.inputs), outputCount: layer.outputCount)
  }

  private func values(
    _ ω: Outer, _ shift: DebiasedRows<Outer>.Shift?
  ) throws(SolverError) -> (outer: Tensor, inner: Tensor?) {
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
      return .network(
        state.prediction?.network.features ?? networkClass.features,
        ridge: networkClass.headRidge ?? 1e-6)
    }
  }
}
