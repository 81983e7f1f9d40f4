import Autodiff

/// An inner problem at fixed outer variables, as a solver sees it: functions of one vector.
///
/// F(x) is the gradient of the objective, the residual of a root, or x − T(x) of a fixed point.
/// Nothing here is traced.
public struct InnerProblem {
  /// What the problem asks for.
  public enum Kind: Sendable {
    case minimum, leastSquares, root, fixedPoint
  }

  /// A vector function made of tensor operations.
  public typealias VectorFunction = (Tensor) throws(SolverError) -> Tensor

  /// What the problem asks for.
  public let kind: Kind
  /// Where to start, [n].
  public let start: Tensor
  /// ‖F‖ at the layer's initial point, what a stated relative tolerance refers to.
  public let scale: Double
  /// The named parts of the vector.
  public let blocks: [VectorBlock]
  /// The objective f, a scalar; a minimum and least squares have one.
  public let objective: VectorFunction?
  /// The residuals r of f = ½‖r‖²; least squares have them.
  public let residuals: VectorFunction?
  /// The objective on the mini-batch of a step; a stochastic problem has one.
  public let batchObjective: ((_ x: Tensor, _ step: Int) throws(SolverError) -> Tensor)?
  /// Called after each iteration with its number and ‖F‖.
  public let progress: ((_ iteration: Int, _ residual: Double) -> Void)?

  /// Whether F₁ will be factorised anyway, so that a certificate may form it at no cost.
  package var prefersDenseJacobian = false

  private let residualFunction: VectorFunction

  /// A problem of vectors: F(x) = 0, and where it is a minimum its objective.
  ///
  /// - Parameter residual: F, differentiable once.
  public init(
    kind: Kind, start: Tensor, scale: Double, blocks: [VectorBlock]? = nil,
    residual: @escaping VectorFunction, objective: VectorFunction? = nil,
    residuals: VectorFunction? = nil,
    batchObjective: ((_ x: Tensor, _ step: Int) throws(SolverError) -> Tensor)? = nil,
    progress: ((_ iteration: Int, _ residual: Double) -> Void)? = nil
  ) {
    self.kind = kind
    self.start = start
    self.scale = scale
    self.blocks = blocks ?? [VectorBlock(name: "", range: 0..<start.elementCount)]
    self.objective = objective
    self.residuals = residuals
    self.batchObjective = batchObjective
    self.progress = progress
    residualFunction = residual
  }

  /// The minimum of an objective.
  public static func minimum(
    from start: Tensor, blocks: [VectorBlock]? = nil, of objective: @escaping VectorFunction
  ) throws(SolverError) -> InnerProblem {
    let residual: VectorFunction = { x throws(SolverError) in
      try gradient(at: x, unused: .zero, of: objective)
    }
    return InnerProblem(
      kind: .minimum, start: start, scale: norm(try residual(start)), blocks: blocks,
      residual: residual, objective: objective)
  }

  /// F(x).
  public func residual(_ x: Tensor) throws(SolverError) -> Tensor { try residualFunction(x) }

  /// f(x) and F(x) = ∇f(x).
  ///
  /// - Precondition: The problem has an objective.
  public func valueAndGradient(_ x: Tensor) throws(SolverError) -> (Double, Tensor) {
    guard let objective else {
      stop(
        "InnerProblem",
        """
        this solver minimises an objective, but the problem is a \(kind), which has none. Use \
        Newton, or FixedPointIteration for a fixed point
        """)
    }
    let result = try valueWithGradient(at: x, unused: .zero, of: objective)
    return (result.value.scalar, result.gradient)
  }

  /// F′(x): the Hessian of an objective, the Jacobian of a root.
  ///
  /// Traced once here; each product is one pass over the tape.
  public func jacobian(at x: Tensor) throws(SolverError) -> LinearOperator {
    let (_, differential, pullback) = try linearizeInBothDirections(at: x, of: residualFunction)
    return LinearOperator(
      size: x.elementCount, scalarType: x.scalarType, blocks: blocks,
      product: { v throws(SolverError) in try differential(v) },
      transposedProduct: { v throws(SolverError) in try pullback(v) })
  }
}

extension InnerProblem {
  /// Stops where a solver was given a problem of a kind it is not for.
  func require(_ kinds: Set<Kind>, for solver: String) {
    guard kinds.contains(kind) else {
      let (name, solvers) =
        switch kind {
        case .minimum: ("minimum", "LBFGS, NewtonCG or GradientDescent")
        case .leastSquares: ("least-squares problem", "LevenbergMarquardt, LBFGS or NewtonCG")
        case .root: ("root", "Newton")
        case .fixedPoint: ("fixed point", "AndersonAcceleration, FixedPointIteration or Newton")
        }
      stop(solver, "it does not apply to a problem that asks for a \(name). Use \(solvers)")
    }
  }
}

extension Set<InnerProblem.Kind> {
  /// The problems that have an objective.
  static var minima: Self { [.minimum, .leastSquares] }
}
