import Autodiff
import Solvers

/// What an inner problem asks for, in the user's trees.
///
/// At given outer variables it is an `InnerProblem.Formulation` of one vector.
enum InnerFormulation<Inner: TensorTree, Outer: TensorTree>: Sendable {
  /// x* = argmin f(x, y).
  case minimum(@Sendable (Inner, Outer) throws -> Tensor)
  /// x* = argmin ½‖r(x, y)‖².
  case leastSquares(@Sendable (Inner, Outer) throws -> Tensor)
  /// F(x*, y) = 0.
  case root(@Sendable (Inner, Outer) throws -> Inner)
  /// x* = T(x*, y).
  case fixedPoint(@Sendable (Inner, Outer) throws -> Inner)

  /// The formulation without its function.
  var kind: InnerProblem.Formulation.Kind {
    switch self {
    case .minimum: .minimum
    case .leastSquares: .leastSquares
    case .root: .root
    case .fixedPoint: .fixedPoint
    }
  }

  /// The same at outer variables, as functions of the vectors of a layout.
  ///
  /// - Parameter layer: Who asks, for messages.
  func flattened(
    _ layout: FlatLayout<Inner>, at outer: Outer, for layer: String
  ) -> InnerProblem.Formulation {
    switch self {
    case .minimum(let objective):
      .minimum { x throws(SolverError) in
        let value = try calling { try objective(layout.tree(x), outer) }
        guard value.elementCount == 1, value.scalarType.isFloatingPoint else {
          stop(
            layer,
            """
            the inner objective returned \(value.shape) \(value.scalarType), expected a \
            floating-point value of one element; reduce it (sum, mean)
            """)
        }
        return value
      }
    case .leastSquares(let residuals):
      .leastSquares { x throws(SolverError) in
        try calling { try residuals(layout.tree(x), outer) }.reshaped(to: [-1])
      }
    case .root(let function):
      .root { x throws(SolverError) in
        layout.vector(
          try calling { try function(layout.tree(x), outer) }, layer, "residual of the root")
      }
    case .fixedPoint(let map):
      .fixedPoint { x throws(SolverError) in
        layout.vector(
          try calling { try map(layout.tree(x), outer) }, layer, "image of the fixed-point map")
      }
    }
  }
}
