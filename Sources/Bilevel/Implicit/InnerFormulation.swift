import Autodiff

/// What an inner problem asks for, in the user's trees.
enum InnerFormulation<Inner: TensorTree, Outer: TensorTree>: Sendable {
  /// x* = argmin f(x, y).
  case minimum(@Sendable (Inner, Outer) throws -> Tensor)
  /// x* = argmin ½‖r(x, y)‖².
  case leastSquares(@Sendable (Inner, Outer) throws -> Tensor)
  /// F(x*, y) = 0.
  case root(@Sendable (Inner, Outer) throws -> Inner)
  /// x* = T(x*, y).
  case fixedPoint(@Sendable (Inner, Outer) throws -> Inner)

  var kind: InnerProblem.Kind {
    switch self {
    case .minimum: .minimum
    case .leastSquares: .leastSquares
    case .root: .root
    case .fixedPoint: .fixedPoint
    }
  }

  /// Whether F is a gradient.
  var hasObjective: Bool { kind == .minimum || kind == .leastSquares }
}

/// An inner problem as functions of one vector, at given outer variables.
struct FlatProblem<Inner: TensorTree, Outer: TensorTree> {
  let formulation: InnerFormulation<Inner, Outer>
  let layout: FlatLayout<Inner>
  let name: String
  let outer: Outer
  /// f on the mini-batch of a step, for stochastic solvers.
  var batchObjective: ((Inner, Outer, Int) throws -> Tensor)?

  /// F(x): ∇f, the residual of a root, or x − T(x).
  func residual(_ x: Tensor) throws(BilevelError) -> Tensor {
    switch formulation {
    case .minimum, .leastSquares:
      return try gradient(at: x, unused: .zero) { x throws(BilevelError) in try objective(x) }
    case .root(let function):
      return layout.vector(
        try calling { try function(layout.tree(x), outer) }, name, "residual of the root")
    case .fixedPoint(let map):
      return x
        - layout.vector(
          try calling { try map(layout.tree(x), outer) }, name, "image of the fixed-point map")
    }
  }

  /// f(x), a scalar.
  func objective(_ x: Tensor) throws(BilevelError) -> Tensor {
    switch formulation {
    case .minimum(let objective):
      let value = try calling { try objective(layout.tree(x), outer) }
      guard value.elementCount == 1, value.scalarType.isFloatingPoint else {
        stop(
          name,
          """
          the inner objective returned \(value.shape) \(value.scalarType), expected a floating-point \
          value of one element; reduce it (sum, mean)
          """)
      }
      return value
    case .leastSquares: return 0.5 * square(try residuals(x)).sum()
    case .root, .fixedPoint: stop(name, "a \(formulation.kind) has no objective")
    }
  }

  /// r(x) of least squares, a vector.
  func residuals(_ x: Tensor) throws(BilevelError) -> Tensor {
    guard case .leastSquares(let residuals) = formulation else {
      stop(name, "a \(formulation.kind) has no residual vector")
    }
    return try calling { try residuals(layout.tree(x), outer) }.reshaped(to: [-1])
  }

  /// f(x) on the mini-batch of a step; the full objective where there are none.
  private func batch(_ x: Tensor, _ step: Int) throws(BilevelError) -> Tensor {
    guard let batchObjective else { return try objective(x) }
    return try calling { try batchObjective(layout.tree(x), outer, step) }
  }

  /// The problem as solvers see it.
  func innerProblem(
    from start: Tensor, scale: Double, progress: ((Int, Double) -> Void)? = nil
  ) -> InnerProblem {
    let hasObjective = formulation.hasObjective
    let isLeastSquares = formulation.kind == .leastSquares
    return InnerProblem(
      kind: formulation.kind, start: start, scale: scale, blocks: layout.blocks,
      residual: { x throws(BilevelError) in try residual(x) },
      objective: hasObjective ? { x throws(BilevelError) in try objective(x) } : nil,
      residuals: isLeastSquares ? { x throws(BilevelError) in try residuals(x) } : nil,
      batchObjective: batchObjective == nil
        ? nil : { x, step throws(BilevelError) in try batch(x, step) },
      progress: progress)
  }
}
