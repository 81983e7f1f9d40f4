import Autodiff
import Bilevel
import Solvers

/// The targets of quadratic losses ½ ‖v − g_ω‖² and ½ ‖v − y_ω‖².
struct QuadraticTargets<
  Outer: TensorTree, InnerLabels: TensorTree, OuterLabels: TensorTree
>: Sendable {
  let inner: @Sendable (Outer, Tensor, InnerLabels) throws -> Tensor
  let outer: @Sendable (Outer, Tensor, OuterLabels) throws -> Tensor
  let knownOuter: (@Sendable (Outer, Tensor) throws -> Tensor)?
  let outputCount: Int

  /// g_ω, [n, q].
  func innerValues(
    _ ω: Outer, _ sample: FunctionalSample<InnerLabels>
  ) throws(SolverError) -> Tensor {
    checked(try calling { try inner(ω, sample.inputs, sample.labels) }, sample.count, "inner")
  }

  /// The regressed part of y_ω, [n, q].
  func outerValues(
    _ ω: Outer, _ sample: FunctionalSample<OuterLabels>
  ) throws(SolverError) -> Tensor {
    checked(try calling { try outer(ω, sample.inputs, sample.labels) }, sample.count, "outer")
  }

  /// The known part of y_ω, [n, q]; nil for none.
  func knownValues(_ ω: Outer, _ x: Tensor) throws(SolverError) -> Tensor? {
    guard let knownOuter else { return nil }
    return checked(try calling { try knownOuter(ω, x) }, x.shape[0], "known outer")
  }

  private func checked(_ target: Tensor, _ count: Int, _ what: String) -> Tensor {
    guard target.shape == [count, outputCount] else {
      stop(
        "OBiGrad.quadratic",
        "expected the \(what) target as [\(count), \(outputCount)], found \(target.shape)")
    }
    return target
  }
}

/// The nuisances of quadratic losses of one sample on one fold: regressions h of g_ω and m of y_ω by a
/// linear smoother, so that Jacobians in ω are regressions of ∂_ω g and ∂_ω y.
struct QuadraticNuisances<
  Outer: TensorTree, InnerLabels: TensorTree & Sendable, OuterLabels: TensorTree & Sendable
>: Sendable {
  private let targets: QuadraticTargets<Outer, InnerLabels, OuterLabels>
  private let data: FoldData<InnerLabels, OuterLabels>
  private let isOrthogonal: Bool
  /// Weights of the correction for shared noise, [n]; nil for none.
  private let noiseWeights: Tensor?
  /// From training rows to held-out rows.
  private let smoother: Smoother

  init(
    targets: QuadraticTargets<Outer, InnerLabels, OuterLabels>,
    data: FoldData<InnerLabels, OuterLabels>, isOrthogonal: Bool, learner: NuisanceLearner,
    sharedNoise: SharedNoise, at point: Outer, _ generator: PhiloxGenerator
  ) throws(SolverError) {
    self.targets = targets
    self.data = data
    self.isOrthogonal = isOrthogonal
    let (training, held) = (data.training, data.held)
    let point = stopGradient(point)
    let innerTargets = stopGradient(try targets.innerValues(point, training.inner.constant))
    let outerTargets = stopGradient(try targets.outerValues(point, training.outer.constant))
    var fold = NuisanceFold(
      inputs: training.inner.inputs,
      targets: .concatenated([innerTargets, outerTargets], alongAxis: 1),
      generator: generator.split(key: 0))
    smoother = try Smoother(
      try learner.linearClass(for: &fold), inputs: training.inner.inputs,
      weights: training.inner.weights, at: held.inner.inputs)
    noiseWeights =
      sharedNoise == .kept ? nil : try smoother.ownNoiseWeights(at: data.heldWeights)
  }

  var rows: DebiasedRows<Outer> {
    DebiasedRows(
      values: { ω, shift throws(SolverError) in try values(ω, shift) },
      inputs: (data.held.inner.inputs, data.held.outer.inputs), outputCount: targets.outputCount)
  }

  private func values(
    _ ω: Outer, _ shift: DebiasedRows<Outer>.Shift?
  ) throws(SolverError) -> (outer: Tensor, inner: Tensor?) {
    let (training, held) = (data.training, data.held)
    let prediction = try smoother(try targets.innerValues(ω, training.inner))
    var y = try targets.outerValues(ω, held.outer)
    if let known = try targets.knownValues(ω, held.outer.inputs) { y += known }
    let shifted = shift.map { prediction + $0.outerPrediction } ?? prediction
    var outerValues = 0.5 * square(shifted - y).sum(alongAxis: 1)
    guard isOrthogonal else { return (outerValues, nil) }
    if let noise = try sharedNoise(ω) { outerValues += noise }
    var m = try smoother(try targets.outerValues(ω, training.outer))
    if let known = try targets.knownValues(ω, held.inner.inputs) { m += known }
    var (a, slope) = (m - prediction, prediction - (try targets.innerValues(ω, held.inner)))
    if let shift { (a, slope) = (a + shift.adjoint, slope + shift.innerPrediction) }
    return (outerValues, (a * slope).sum(alongAxis: 1))
  }

  /// ½ Σᵢ cᵢ ((eᵍᵢ − eʸᵢ)² − (eʸᵢ)²) with residuals e of the training rows: its derivative in ω is the
  /// expectation of δj δu that a row's own noise causes.
  private func sharedNoise(_ ω: Outer) throws(SolverError) -> Tensor? {
    guard let noiseWeights else { return nil }
    let training = data.training
    let g = try smoother.residuals(try targets.innerValues(ω, training.inner))
    let y = try smoother.residuals(try targets.outerValues(ω, training.outer))
    return 0.5 * dot(noiseWeights, (square(g - y) - square(y)).sum(alongAxis: 1))
  }
}
