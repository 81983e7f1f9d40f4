import Autodiff
import Neural
import Solvers

/// A bilevel problem whose inner variable is a function, with everything that any method of solving
/// it needs.
///
///     min_ω L_out(ω, h*_ω),   h*_ω = argmin_h Σᵢ wᵢ ℓ_in(ω, h(xᵢ), xᵢ, yᵢ(ω))
///
/// The methods of `FunctionalMethod` solve the same value, so that they can be compared.
public struct FunctionalProblem<Outer: TensorTree, Labels: TensorTree>: Sendable {
  /// L_out as a function.
  public typealias OuterLoss =
    @Sendable (
      _ outer: Outer, _ prediction: Tensor, _ labels: Labels
    ) throws -> Tensor

  /// d, the number of outputs of a prediction.
  public let outputCount: Int
  /// x of the inner sample, [n, p].
  public let innerInputs: Tensor
  /// w, [n]; nil for 1/n each.
  public let innerWeights: Tensor?
  /// y(ω): what the inner loss needs of each row, evaluated and differentiated once for an outer
  /// iteration, however many inner steps there are.
  public let innerLabels: @Sendable (Outer) throws -> Labels
  /// ℓ_in, one value per row.
  public let innerLoss: FuncID<Outer, Labels>.InnerLoss
  /// Where the outer loss needs predictions, [k, p].
  public let outerInputs: Tensor
  /// L_out(ω, v, y), a scalar, for predictions v, [k, d], and the labels y(ω) of the inner sample.
  public let outerLoss: OuterLoss
  /// The network that predicts, and how it is trained.
  public var network: NetworkClass

  /// An inner risk over functions and an outer risk of their predictions.
  @preconcurrency
  public init(
    outputCount: Int, innerInputs: Tensor, innerWeights: Tensor? = nil,
    innerLabels: @escaping @Sendable (Outer) throws -> Labels,
    innerLoss: @escaping FuncID<Outer, Labels>.InnerLoss, outerInputs: Tensor,
    outerLoss: @escaping OuterLoss,
    network: NetworkClass
  ) {
    self.outputCount = outputCount
    self.innerInputs = innerInputs
    self.innerWeights = innerWeights
    self.innerLabels = innerLabels
    self.innerLoss = innerLoss
    self.outerInputs = outerInputs
    self.outerLoss = outerLoss
    self.network = network
  }

  /// The inner sample at ω.
  func sample(_ outer: Outer) throws(SolverError) -> FunctionalSample<Labels> {
    FunctionalSample(
      inputs: innerInputs, labels: try calling { try innerLabels(outer) }, weights: innerWeights)
  }

  /// The layer of this problem.
  public func layer(
    in functionClass: FunctionClass, adjoint: AdjointMethod = .automatic
  ) -> FuncID<Outer, Labels> {
    FuncID(
      outputCount: outputCount, in: functionClass, adjoint: adjoint, innerLoss: innerLoss)
  }

  func loss(
    _ outer: Outer, _ prediction: Tensor, _ labels: Labels
  ) throws(SolverError) -> Tensor {
    try calling { try outerLoss(outer, prediction, labels) }
  }
}

/// How the hypergradient of a functional problem is found.
public enum FunctionalMethod: Sendable {
  /// Functional implicit differentiation with this adjoint.
  case functional(AdjointMethod = .automatic)
  /// Back-propagation through the closed-form last layer, the features of the network constant: the
  /// scheme of Xu et al., Learning deep features in instrumental variable regression (2021).
  case closedFormHead
  /// Approximate implicit differentiation in the parameters of the network, whose Hessian is not
  /// positive definite in general: what the solver reaches is used, and the record says what it is.
  case implicit(any LinearSolver)
  /// Differentiation of the last steps of the inner optimiser.
  case unrolled(steps: Int)
  /// Joint steps on L_out + σ ‖∂G/∂θ‖ in ω and θ.
  case gradientPenalty(strength: Double)
  /// Joint steps on L_out + σ (G(ω, θ) − G(ω, θ̃)) in ω and θ, with θ̃ trained on G alone.
  case valueFunction(strength: Double)
}
