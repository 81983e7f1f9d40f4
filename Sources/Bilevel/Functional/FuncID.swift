import Autodiff
import Solvers

/// Functional implicit differentiation: the minimiser over functions of a pointwise loss, as a
/// differentiable operator.
///
///     h*_ω = argmin_h E_P[ℓ_in(ω, h(x), x, y)]
///     ∇F(ω) = g_ω + B_ω a*,   a* = −C_ω⁻¹ d_ω
///
/// with d = ∂ᵥℓ_out, C = ∂²ᵥℓ_in and B a = ∂_ω E_P[a(x)ᵀ ∂ᵥℓ_in]. The user gives ℓ_in for a batch
/// of rows and writes any outer loss on predictions, on the same or another sample:
///
///     let layer = FuncID<Tensor, Tensor>(outputCount: 1, in: .network(network)) { ω, v, x, y in
///       square(v - y).sum(alongAxis: 1) * exp(-ω * x[0..., 0])
///     }
///     let state = FunctionalState()
///     let (loss, hypergradient) = try valueWithGradient(at: ω) { ω in
///       let h = try layer.solution(at: ω, on: sample, state: state)
///       return meanSquaredError(try h(validationInputs), validationTargets)
///     }
///
/// The loss must be strongly convex in the output v, never in the parameters of a network. No second
/// derivative of a network is taken. What enters the loss row by row and is computed from outer
/// variables, such as targets given by a network, is best passed as the sample's labels: then it is
/// evaluated once and differentiated once.
///
/// **Derivatives.** In a linear class with its own adjoint the solution of the sample is
/// differentiated exactly, to every order, in every mode and through everything the loss captures.
/// Otherwise the first derivative is the formula above with the adjoint found in its class, in
/// reverse and in forward mode; it has no derivative of its own, and asking for one stops the
/// program. So does an inner input or a feature that is differentiated: the formula takes the class
/// and the points of the inner sample as given.
///
/// Petrulionyte, Mairal and Arbel, Functional bilevel optimization for machine learning (2024).
public struct FuncID<Outer: TensorTree, Labels: TensorTree>: Sendable {
  /// ℓ_in for a batch of rows: from ω, v = h(x), [n, d], x, [n, p], and y to [n].
  public typealias InnerLoss =
    @Sendable (
      _ outer: Outer, _ v: Tensor, _ x: Tensor, _ y: Labels
    ) throws -> Tensor

  let loss: PointwiseLoss<Outer, Labels>
  /// d, the number of outputs of a prediction.
  public let outputCount: Int
  /// Where predictions are sought.
  public var functionClass: FunctionClass
  /// How the adjoint is found.
  public var adjoint: AdjointMethod
  /// What happens when the inner problem or an adjoint system is not solved.
  ///
  /// Training for a fixed number of steps is not a failure; the record calls it an approximation.
  public var onFailure = FailurePolicy.throw

  /// A layer whose inner problem is a risk over functions.
  ///
  /// - Parameters:
  ///   - outputCount: d.
  ///   - functionClass: Where predictions are sought.
  ///   - adjoint: How the adjoint is found.
  ///   - innerLoss: ℓ_in, one value per row; a row's value depends on that row only, which is
  ///     checked.
  @preconcurrency
  public init(
    outputCount: Int, in functionClass: FunctionClass, adjoint: AdjointMethod = .automatic,
    innerLoss: @escaping InnerLoss
  ) {
    guard outputCount > 0 else {
      stop("FuncID", "a prediction has at least one output, found \(outputCount)")
    }
    self.outputCount = outputCount
    self.functionClass = functionClass
    self.adjoint = adjoint
    loss = PointwiseLoss(innerLoss)
  }

  /// Solves the inner problem.
  ///
  /// - Parameters:
  ///   - outer: ω.
  ///   - sample: The inner sample; the derivative averages over it. Its labels may depend on ω.
  ///   - training: Another sample for the training of networks; nil for the same.
  ///   - state: Where training continues; nil starts anew.
  /// - Throws: `SolverError`; a transform throws it where an adjoint cannot be found.
  public func solution(
    at outer: Outer, on sample: FunctionalSample<Labels>,
    training: FunctionalSample<Labels>? = nil, state: FunctionalState? = nil
  ) throws(SolverError) -> FunctionalSolution {
    let state = state ?? FunctionalState()
    switch (functionClass, adjoint) {
    case (.linear(let linearClass), .automatic):
      return try exactSolution(linearClass, outer, sample, state)
    case (.linear(let linearClass), _):
      let row = stopGradient(sample.inputs).slice(0..<1, alongAxis: 0)
      requireConstants([linearClass.features(row)], "the features of the class")
      let (record, predict) = try hidingLevels { () throws(SolverError) in
        let (basis, _, result) = try solvedLinear(
          linearClass, stopGradient(outer), sample.constant, state)
        let record = TrustRecord(inner: result.status)
        if let omission = basis.omission { record.note(omission) }
        record.setApproximation("the adjoint is sought in another class than the prediction")
        let weights = result.weights
        return (record, { (x: Tensor) in matmul(basis(x), weights) })
      }
      return try functionSpaceSolution(linearClass, outer, sample, state, record, predict)
    case (.network(let networkClass), _):
      requireConstants(networkClass.initialTensors, "the weights of the network before training")
      let (network, record) = try hidingLevels { () throws(SolverError) in
        try trainedNetwork(
          networkClass, stopGradient(outer), (training ?? sample).constant, state)
      }
      let features = LinearClass.network(network.features, ridge: networkClass.headRidge ?? 0)
      return try functionSpaceSolution(features, outer, sample, state, record) { network($0) }
    }
  }
}

// MARK: - Exact: a linear class with its own adjoint

extension FuncID {
  private func solvedLinear(
    _ linearClass: LinearClass, _ outer: Outer, _ sample: FunctionalSample<Labels>,
    _ state: FunctionalState
  ) throws(SolverError) -> (
    FeatureBasis, LinearFit<Outer, Labels>, LinearFit<Outer, Labels>.Result
  ) {
    let basis = try FeatureBasis(linearClass, on: sample)
    let fit = LinearFit(
      loss: loss, outer: outer, sample: sample, features: basis(sample.inputs),
      penalty: linearClass.penalty, outputCount: outputCount)
    let isUsable = state.weights?.shape == [basis.count, outputCount]
    let result = try fit.solved(from: isUsable ? state.weights : nil)
    if !result.status.isConverged, onFailure == .throw {
      throw .unsolved(result.status, of: .inner)
    }
    if result.weights.isFinite { state.weights = result.weights }
    return (basis, fit, result)
  }

  private func exactSolution(
    _ linearClass: LinearClass, _ outer: Outer, _ sample: FunctionalSample<Labels>,
    _ state: FunctionalState
  ) throws(SolverError) -> FunctionalSolution {
    let exact = try exactWeights(linearClass, outer, sample, state)
    return FunctionalSolution(record: exact.record, outputCount: outputCount) { x in
      matmul(exact.basis(x), exact.weights)
    }
  }

  /// The weights of the solution in a linear class as a differentiable operator, [r, d].
  func exactWeights(
    _ linearClass: LinearClass, _ outer: Outer, _ sample: FunctionalSample<Labels>,
    _ state: FunctionalState
  ) throws(SolverError) -> (
    weights: Tensor, features: Tensor, basis: FeatureBasis, record: TrustRecord
  ) {
    let (basis, result, equations) = try hidingLevels { () throws(SolverError) in
      let (basis, fit, result) = try solvedLinear(
        linearClass, stopGradient(outer), sample.constant, state)
      return (basis, result, try fit.curvature(at: result).equations)
    }
    let record = TrustRecord(inner: result.status)
    let fit = LinearFit(
      loss: loss, outer: outer, sample: sample, features: basis(sample.inputs),
      penalty: linearClass.penalty, outputCount: outputCount)
    if let omission = basis.omission {
      // The coordinates are constants, and what they leave out would move with the features.
      guard !fit.features.isTraced else {
        throw .function(
          FunctionalError.dependentFeatures(count: basis.featureCount, rank: basis.count))
      }
      record.note(omission)
    }
    let weights = try equations.differentiable(
      result.weights, name: "FuncID", className: linearClass.name, record: record,
      onFailure: onFailure
    ) { w throws(SolverError) in try fit.residual(w) }
    return (weights, fit.features, basis, record)
  }
}

// MARK: - In function space

extension FuncID {
  private func trainedNetwork(
    _ networkClass: NetworkClass, _ outer: Outer, _ sample: FunctionalSample<Labels>,
    _ state: FunctionalState
  ) throws(SolverError) -> (HeadedNetwork, TrustRecord) {
    let fit = NetworkFit(loss: loss, outer: outer, sample: sample, outputCount: outputCount)
    let (network, status) = try fit.trained(networkClass, state)
    let record = TrustRecord(inner: status)
    if networkClass.training.tolerance == nil {
      record.setApproximation(
        "the prediction network takes \(networkClass.training.stepCount) steps an iteration")
    } else {
      record.setApproximation("the adjoint is sought in a class of functions")
      if !status.isConverged, onFailure == .throw { throw .unsolved(status, of: .inner) }
    }
    return (network, record)
  }

  /// A solution whose derivative is found in function space.
  ///
  /// - Parameters:
  ///   - features: The class of the prediction, for a closed form and for comparison.
  ///   - predict: h with constant weights.
  private func functionSpaceSolution(
    _ features: LinearClass, _ outer: Outer, _ sample: FunctionalSample<Labels>,
    _ state: FunctionalState, _ record: TrustRecord, _ predict: @escaping (Tensor) -> Tensor
  ) throws(SolverError) -> FunctionalSolution {
    requireConstants([sample.inputs], "the inputs of the inner sample")
    let (v, fit) = try hidingLevels { () throws(SolverError) in
      let constant = sample.constant
      let v = predict(constant.inputs)
      let curvature = try loss.curvature(stopGradient(outer), v, constant)
      return (
        v,
        AdjointFit(
          adjointMethod(features), sample: constant, curvature: curvature,
          outputCount: outputCount, state: state, record: record, onFailure: onFailure)
      )
    }
    return FunctionalSolution(record: record, outputCount: outputCount) {
      x throws(SolverError) in
      try respond(to: x, predict, outer, sample, v, fit)
    }
  }

  /// Refuses what function space takes as given where a derivative with respect to it is asked for.
  private func requireConstants(_ tensors: [Tensor], _ name: String) {
    guard tensors.contains(where: \.isTraced) else { return }
    stop(
      "FuncID",
      """
      \(name) are being differentiated, but an adjoint in function space takes them as given, and \
      their part of the derivative would be left out. Use a linear class with adjoint .automatic, \
      or stopGradient if that is meant
      """)
  }

  private func adjointMethod(_ features: LinearClass) -> AdjointFit<Outer, Labels>.Method {
    switch adjoint {
    case .automatic: .closedForm(features)
    case .features(let ridge): .closedForm(features.with(ridge: ridge))
    case .linear(let linearClass): .closedForm(linearClass)
    case .pointwise: .pointwise
    case .trained(let networkClass): .trained(networkClass, comparedWith: features)
    }
  }
}
