import Autodiff
import Solvers

/// A functional hypergradient ∇F = g_ω + B_ω a* with its parts apart.
public struct FunctionalHypergradient<Outer: TensorTree> {
  /// F = L_out(ω, h*_ω).
  public let value: Tensor
  /// ∇F.
  public let gradient: Outer
  /// g_ω = ∂_ω L_out at a constant prediction.
  public let direct: Outer
  /// B_ω a*, what ω does through the prediction.
  public let implicit: Outer
  /// h*, [k, d], where the outer loss was evaluated.
  public let prediction: Tensor
  /// a*, [n, d], at the inner inputs; NaN in rows of weight zero, which it does not act on.
  public let adjoint: Tensor
  /// How well each solve behind the number went.
  public let record: TrustRecord
}

extension FunctionalHypergradient: Sendable where Outer: Sendable {}

extension FuncID {
  /// The hypergradient of an outer loss of predictions at given points, with its parts apart.
  ///
  /// - Parameters:
  ///   - outer: ω.
  ///   - sample: The inner sample.
  ///   - training: Another sample for the training of networks; nil for the same.
  ///   - state: Where training continues.
  ///   - points: Where the outer loss needs predictions, [k, p].
  ///   - labels: The inner labels as a function of ω; nil where they do not depend on it.
  ///   - loss: L_out(ω, v), a scalar, for v, [k, d].
  /// - Returns: Values without a derivative: using them where one would be needed stops the program.
  public func hypergradient(
    at outer: Outer, on sample: FunctionalSample<Labels>,
    training: FunctionalSample<Labels>? = nil, state: FunctionalState? = nil,
    evaluatedAt points: Tensor, labels: ((Outer) throws -> Labels)? = nil,
    of loss: (_ outer: Outer, _ prediction: Tensor) throws -> Tensor
  ) throws(SolverError) -> FunctionalHypergradient<Outer> {
    let state = state ?? FunctionalState()
    let layer = tilted
    let result = try hidingLevels { () throws(SolverError) in
      let outer = stopGradient(outer)
      let shift = Tensor.zeros([sample.count, outputCount], sample.inputs.scalarType)
      var record: TrustRecord?
      // The prediction as a function of ω and ε, its pullback kept apart from the loss's.
      let (prediction, pullback) = try vjp(at: outer, shift) {
        (ω: Outer, ε: Tensor) throws(SolverError) -> Tensor in
        let rows = labels == nil ? sample.labels : try calling { try labels?(ω) ?? sample.labels }
        let h = try layer.solution(
          at: ω, on: sample.with(labels: TreePack(rows, ε)),
          training: training.map { Self.untilted($0, outputCount) }, state: state)
        record = h.record
        return try h(points)
      }
      let (value, (direct, cotangent)) = try valueWithGradient(
        at: outer, prediction, unused: .zero
      ) { (ω: Outer, v: Tensor) throws(SolverError) in
        try calling { try loss(ω, v) }
      }
      let (implicit, weightedAdjoint) = try pullback(cotangent)
      guard let record else { stop("FuncID.hypergradient", "the layer was not evaluated") }
      let adjoint =
        sample.weights.map { weightedAdjoint / stopGradient($0).expandingShape(at: 1) }
        ?? weightedAdjoint * Double(sample.count)
      return FunctionalHypergradient(
        value: value, gradient: direct + implicit, direct: direct, implicit: implicit,
        prediction: prediction, adjoint: adjoint, record: record)
    }
    func constant<T: TensorTree>(_ tree: T) -> T {
      refusingDerivatives(
        tree, like: outer.tensors,
        reason: """
          a functional hypergradient is used where its derivative would be needed, and it has \
          none. Differentiate a closure that calls solution(at:on:), or use stopGradient
          """)
    }
    return FunctionalHypergradient(
      value: constant(result.value), gradient: constant(result.gradient),
      direct: constant(result.direct), implicit: constant(result.implicit),
      prediction: constant(result.prediction), adjoint: constant(result.adjoint),
      record: result.record)
  }
}

extension FuncID {
  /// The same problem with the loss ℓ_in + εᵀ v, at ε = 0: ∂F/∂εᵢ = wᵢ a*(xᵢ), because ∂ᵥℓ_in moves
  /// by ε.
  private var tilted: FuncID<Outer, TreePack<Labels, Tensor>> {
    var layer = FuncID<Outer, TreePack<Labels, Tensor>>(
      outputCount: outputCount, in: functionClass, adjoint: adjoint
    ) { ω, v, x, y in
      let (labels, ε) = y.elements
      return try loss.function(ω, v, x, labels) + (ε * v).sum(alongAxis: 1)
    }
    layer.onFailure = onFailure
    return layer
  }

  private static func untilted(
    _ sample: FunctionalSample<Labels>, _ outputCount: Int
  ) -> FunctionalSample<TreePack<Labels, Tensor>> {
    let zero = Tensor.zeros([sample.count, outputCount], sample.inputs.scalarType)
    return sample.with(labels: TreePack(sample.labels, zero))
  }
}
