import Autodiff

/// An inner problem at fixed outer variables, as a solver sees it: functions of one vector.
///
/// F(x) is the gradient of the objective, the residual of a root, or x − T(x) of a fixed point.
/// Nothing here is traced.
public struct InnerProblem {
  /// A vector function made of tensor operations.
  public typealias VectorFunction = (Tensor) throws(SolverError) -> Tensor

  /// What the problem asks for.
  public let formulation: Formulation
  /// Where to start, [n].
  public let start: Tensor
  /// ‖F‖ at the layer's initial point, what a stated relative tolerance refers to.
  public let scale: Double
  /// The named parts of the vector.
  public let blocks: [VectorBlock]
  /// The objective on the mini-batch of a step; a stochastic problem has one.
  public let batchObjective: ((_ x: Tensor, _ step: Int) throws(SolverError) -> Tensor)?
  /// Called after each iteration with its number and ‖F‖.
  public let progress: ((_ iteration: Int, _ residual: Double) -> Void)?

  /// Whether F₁ will be factorised anyway, so that a certificate may form it at no cost.
  package var prefersDenseJacobian = false

  /// A problem of vectors.
  ///
  /// - Parameters:
  ///   - formulation: What it asks for.
  ///   - start: Where to start, [n].
  ///   - scale: What a stated relative tolerance refers to; nil is ‖F‖ at the start.
  ///   - blocks: Names of the parts of x, for messages; nil is one part without a name.
  ///   - batchObjective: f on the mini-batch of a step, for stochastic solvers.
  ///   - progress: Called after each iteration with its number and ‖F‖.
  /// - Throws: What F throws at the start.
  public init(
    _ formulation: Formulation, startingAt start: Tensor, scale: Double? = nil,
    blocks: [VectorBlock]? = nil,
    batchObjective: ((_ x: Tensor, _ step: Int) throws(SolverError) -> Tensor)? = nil,
    progress: ((_ iteration: Int, _ residual: Double) -> Void)? = nil
  ) throws(SolverError) {
    self.formulation = formulation
    self.start = start
    if let scale { self.scale = scale } else { self.scale = norm(try formulation.residual(start)) }
    self.blocks = blocks ?? [VectorBlock(name: "", range: 0..<start.elementCount)]
    self.batchObjective = batchObjective
    self.progress = progress
  }

  /// F(x).
  public func residual(_ x: Tensor) throws(SolverError) -> Tensor { try formulation.residual(x) }

  /// f(x) and F(x) = ∇f(x).
  ///
  /// - Precondition: The problem has an objective.
  public func valueAndGradient(_ x: Tensor) throws(SolverError) -> (Double, Tensor) {
    guard let objective = formulation.objective else {
      stop(
        "InnerProblem",
        """
        this solver minimises an objective, but the problem is a \(formulation.kind), which has none. Use \
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
    try LinearOperator(
      linearizing: { x throws(SolverError) in try residual(x) }, at: x, blocks: blocks)
  }
}
