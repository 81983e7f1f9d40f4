import Autodiff
import Neural
import Solvers

/// Finds adjoint functions at one solution, at constants.
///
/// One problem serves both modes. In reverse mode d is the cotangent at the points where the
/// solution was evaluated, and a at the inner inputs is the cotangent of ∂ᵥL. In forward mode d is
/// the tangent of ∂ᵥL at the inner inputs, and a at those points is the tangent of the solution.
final class AdjointFit<Outer: TensorTree, Labels: TensorTree> {
  /// Σⱼ a(xⱼ)ᵀ dⱼ.
  struct Functional {
    let points: Tensor
    let values: Tensor
  }

  /// What defines an adjoint.
  enum Method {
    case closedForm(LinearClass)
    case pointwise
    case trained(NetworkClass, comparedWith: LinearClass)
  }

  private let method: Method
  private let sample: FunctionalSample<Labels>
  private let curvature: OutputCurvature
  private let outputCount: Int
  private let state: FunctionalState
  private let record: TrustRecord
  private let onFailure: FailurePolicy
  private var closedForm: ClosedForm?

  init(
    _ method: Method, sample: FunctionalSample<Labels>, curvature: OutputCurvature,
    outputCount: Int, state: FunctionalState, record: TrustRecord, onFailure: FailurePolicy
  ) {
    self.method = method
    self.sample = sample
    self.curvature = curvature
    self.outputCount = outputCount
    self.state = state
    self.record = record
    self.onFailure = onFailure
  }

  /// a at `targets`, [k, d].
  func adjoint(of functional: Functional, at targets: Tensor) throws(SolverError) -> Tensor {
    switch method {
    case .closedForm(let linearClass):
      let form = try closedForm(linearClass)
      let weights = try form.weights(of: functional)
      try report(
        "closed-form adjoint", form, functional, curved: form.equations.product(weights))
      return form.values(weights, at: targets)
    case .pointwise:
      return try pointwise(functional, at: targets)
    case .trained(let networkClass, let linearClass):
      let network = try trained(networkClass, on: functional)
      let form = try closedForm(linearClass)
      compare(network, with: try form.weights(of: functional), form)
      let curved = sample.weighted(curvature.product(network(sample.inputs)))
      try report(
        "trained adjoint", form, functional,
        curved: matmul(form.innerFeatures, curved, transposeA: true))
      return network(targets)
    }
  }

  // MARK: Closed form

  /// A linear class with the curvature of this solution, factorised once for all functionals.
  private struct ClosedForm {
    let basis: FeatureBasis
    let innerFeatures: Tensor
    let equations: PenalizedLeastSquares

    /// Φᵀ d, the functional on the weights.
    func moment(_ functional: Functional) -> Tensor {
      matmul(basis(functional.points), functional.values, transposeA: true)
    }

    func weights(of functional: Functional) throws(SolverError) -> Tensor {
      try calling { -(try equations.solve(moment(functional))) }
    }

    func values(_ weights: Tensor, at x: Tensor) -> Tensor { matmul(basis(x), weights) }
  }

  private func closedForm(_ linearClass: LinearClass) throws(SolverError) -> ClosedForm {
    if let closedForm { return closedForm }
    let basis = try FeatureBasis(linearClass, on: sample)
    if let omission = basis.omission { record.note("the adjoint: \(omission)") }
    let features = basis(sample.inputs)
    do {
      let form = ClosedForm(
        basis: basis, innerFeatures: features,
        equations: try PenalizedLeastSquares(
          features: features, weights: sample.weights, curvature: curvature,
          outputCount: outputCount, penalty: linearClass.penalty))
      closedForm = form
      return form
    } catch {
      throw .function(FunctionalError.notStronglyConvex(curvature: nil))
    }
  }

  // MARK: Pointwise

  private func pointwise(
    _ functional: Functional, at targets: Tensor
  ) throws(SolverError) -> Tensor {
    for points in [functional.points, targets] where !points.isBitwiseEqual(to: sample.inputs) {
      throw .function(
        FunctionalError.pointsDiffer(innerCount: sample.count, outerCount: points.shape[0]))
    }
    let repeated = sample.inputs.cast(to: .float64).repeatedRows.count
    if repeated > 0 { throw .function(FunctionalError.repeatedPoints(count: repeated)) }
    var values = functional.values
    if let weights = sample.weights {
      // A row that does not count leaves its output undetermined.
      guard weights.min().scalar > 0 else {
        throw .function(FunctionalError.notStronglyConvex(curvature: 0))
      }
      values = values / weights.expandingShape(at: 1)
    } else {
      values = values * Double(sample.count)
    }
    let adjoint = try calling { -(try curvature.inverseProduct(values)) }
    let residual = norm((curvature.product(adjoint) + values).flattened())
    try append("pointwise adjoint", residual, scale: norm(values.flattened()))
    return adjoint
  }

  // MARK: Training

  /// Steps of the adjoint network on L_adj from where it was left.
  private func trained(
    _ networkClass: NetworkClass, on functional: Functional
  ) throws(SolverError) -> HeadedNetwork {
    guard case .trained(let head) = networkClass.head else {
      stop(
        "FuncID",
        "a trained adjoint needs a head of its own: .trained(Dense(…)); for a closed form there is "
          + "AdjointMethod.linear")
    }
    var learner = FunctionalState.Learner(
      network: HeadedNetwork(
        features: networkClass.features, head: head.requiring(outputCount, "the adjoint")),
      optimizer: networkClass.training.optimizer
    ).continuing(state.adjoint, "an adjoint network")
    let training = networkClass.training
    for _ in 0..<training.stepCount {
      let inner = AdjointRows(sample, curvature).batch(training.batchSize, &state.generator)
      let outer = functional.batch(training.batchSize, &state.generator)
      learner.network.updateState()
      var pass = TrainingPass(using: &state.generator)
      // One pass through the network for both samples, and over rows that are the same only once.
      let count = inner.inputs.shape[0]
      let isShared = inner.inputs.isBitwiseEqual(to: outer.points)
      let points =
        isShared
        ? inner.inputs : Tensor.concatenated([inner.inputs, outer.points], alongAxis: 0)
      let (a, pullback) = vjp(at: learner.network) { $0(points, &pass) }
      let curved = inner.weighted(
        inner.curvature.product(isShared ? a : a.slice(0..<count, alongAxis: 0)))
      let gradient = pullback(
        isShared
          ? curved + outer.values
          : Tensor.concatenated([curved, outer.values], alongAxis: 0))
      let size = gradient.globalNorm
      guard size.isFinite else {
        throw .function(
          FunctionalError.trainingNotFinite(
            level: "adjoint", step: learner.stepCount, loss: .nan, gradientNorm: size))
      }
      learner.network.adopt(pass)
      learner.update(training: training) { optimizer, network in
        optimizer.update(&network, along: gradient)
      }
    }
    state.adjoint = learner
    return learner.network
  }

  // MARK: Evidence

  /// The residual ‖C a + d‖ as the class sees it, relative to ‖d‖: the gradient of L_adj in the
  /// weights, in the norm of the problem.
  ///
  /// - Parameter curved: C a in the weights of the class.
  private func report(
    _ name: String, _ form: ClosedForm, _ functional: Functional, curved: Tensor
  ) throws(SolverError) {
    let moment = form.moment(functional)
    let (size, scale) = try calling {
      (try form.equations.dualNorm(curved + moment), try form.equations.dualNorm(moment))
    }
    try append(name, size, scale: scale)
  }

  private func append(
    _ name: String, _ residual: Double, scale: Double
  ) throws(SolverError) {
    let threshold = (sample.inputs.scalarType == .float32 ? 1e-3 : 1e-8) * scale
    let status = SolverStatus(
      method: name, outcome: residual <= threshold ? .converged : .inaccurate,
      history: [scale, residual], threshold: threshold, scale: scale, evaluations: 1)
    record.append(status)
    // A budget of training steps is an approximation, no failure.
    if case .trained = method { return }
    if !status.isConverged, onFailure == .throw { throw .unsolved(status, of: .adjoint) }
  }

  private func compare(_ network: HeadedNetwork, with weights: Tensor, _ form: ClosedForm) {
    let learned = network(sample.inputs)
    let exact = matmul(form.innerFeatures, weights)
    func product(_ a: Tensor, _ b: Tensor) -> Double {
      sample.mean((a * b).sum(alongAxis: 1)).scalar
    }
    let (own, other) = (product(learned, learned), product(exact, exact))
    // A direction to compare with is missing where nothing is pulled back.
    guard own > 0, other > 0 else { return }
    record.setAdjointComparison(
      AdjointComparison(
        cosine: product(learned, exact) / (own * other).squareRoot(),
        normRatio: (own / other).squareRoot()))
  }
}

/// The quadratic part of L_adj on some rows.
private struct AdjointRows {
  let inputs: Tensor
  let weights: Tensor?
  let curvature: OutputCurvature

  init<Labels>(_ sample: FunctionalSample<Labels>, _ curvature: OutputCurvature) {
    (inputs, weights, self.curvature) = (sample.inputs, sample.weights, curvature)
  }

  private init(_ inputs: Tensor, _ weights: Tensor?, _ curvature: OutputCurvature) {
    (self.inputs, self.weights, self.curvature) = (inputs, weights, curvature)
  }

  func batch(_ size: Int?, _ generator: inout PhiloxGenerator) -> AdjointRows {
    let count = inputs.shape[0]
    guard let size, size < count else { return self }
    let rows = Tensor.permutation(count, using: &generator).slice(0..<size, alongAxis: 0)
    // Scaled so that the expectation is the whole, like the functional's part.
    let scale = Double(count) / Double(size)
    let chosen = weights.map { $0.gathering(rows, alongAxis: 0) * scale }
    return AdjointRows(inputs.gathering(rows, alongAxis: 0), chosen, curvature.rows(rows))
  }

  func weighted(_ values: Tensor) -> Tensor {
    weights.map { values * $0.expandingShape(at: 1) } ?? values * (1 / Double(inputs.shape[0]))
  }
}

extension AdjointFit.Functional {
  /// A random part, scaled so that its expectation is the whole.
  fileprivate func batch(_ size: Int?, _ generator: inout PhiloxGenerator) -> Self {
    let count = points.shape[0]
    guard let size, size < count else { return self }
    let rows = Tensor.permutation(count, using: &generator).slice(0..<size, alongAxis: 0)
    return Self(
      points: points.gathering(rows, alongAxis: 0),
      values: values.gathering(rows, alongAxis: 0) * (Double(count) / Double(size)))
  }
}

extension OutputCurvature {
  /// The curvature of the rows at `indices`.
  fileprivate func rows(_ indices: Tensor) -> OutputCurvature {
    switch self {
    case .isotropic: self
    case .scaled(let c): .scaled(c.gathering(indices, alongAxis: 0))
    case .diagonal(let c): .diagonal(c.gathering(indices, alongAxis: 0))
    case .full(let c): .full(c.gathering(indices, alongAxis: 0))
    }
  }
}
