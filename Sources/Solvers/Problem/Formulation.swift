import Autodiff

extension InnerProblem {
  /// What a problem asks for, with the function that states it.
  ///
  /// F(x) = 0 at a solution: F is the gradient of an objective, the residual of a root, or x − T(x) of a
  /// fixed point.
  public enum Formulation {
    /// argmin f(x); f gives a scalar.
    case minimum(VectorFunction)
    /// argmin ½‖r(x)‖²; r gives a vector.
    case leastSquares(VectorFunction)
    /// F(x) = 0.
    case root(VectorFunction)
    /// x = T(x).
    case fixedPoint(VectorFunction)

    /// A formulation without its function.
    public enum Kind: String, Sendable {
      case minimum, root
      case leastSquares = "least-squares problem"
      case fixedPoint = "fixed point"

      /// Whether F is the gradient of an objective.
      public var hasObjective: Bool { self == .minimum || self == .leastSquares }
    }

    /// Which of them it is.
    public var kind: Kind {
      switch self {
      case .minimum: .minimum
      case .leastSquares: .leastSquares
      case .root: .root
      case .fixedPoint: .fixedPoint
      }
    }

    /// f; a minimum and least squares have one.
    public var objective: VectorFunction? {
      switch self {
      case .minimum(let objective): objective
      case .leastSquares(let residuals): Self.halfSquare(of: residuals)
      case .root, .fixedPoint: nil
      }
    }

    /// r of ½‖r‖²; least squares have it.
    public var residuals: VectorFunction? {
      if case .leastSquares(let residuals) = self { residuals } else { nil }
    }

    /// F(x).
    public func residual(_ x: Tensor) throws(SolverError) -> Tensor {
      switch self {
      case .minimum(let objective): return try gradient(at: x, unused: .zero, of: objective)
      case .leastSquares(let residuals):
        return try gradient(at: x, unused: .zero, of: Self.halfSquare(of: residuals))
      case .root(let residual): return try residual(x)
      case .fixedPoint(let map): return x - (try map(x))
      }
    }

    private static func halfSquare(of residuals: @escaping VectorFunction) -> VectorFunction {
      { x throws(SolverError) in 0.5 * square(try residuals(x)).sum() }
    }
  }
}

extension InnerProblem {
  /// Stops where a solver was given a problem of a kind it is not for.
  func require(_ kinds: Set<Formulation.Kind>, for solver: String) {
    guard kinds.contains(formulation.kind) else {
      let solvers =
        switch formulation.kind {
        case .minimum: "LBFGS, NewtonCG or GradientDescent"
        case .leastSquares: "LevenbergMarquardt, LBFGS or NewtonCG"
        case .root: "Newton"
        case .fixedPoint: "AndersonAcceleration, FixedPointIteration or Newton"
        }
      stop(
        solver,
        """
        it does not apply to a problem that asks for a \(formulation.kind.rawValue). Use \(solvers)
        """)
    }
  }
}

extension Set<InnerProblem.Formulation.Kind> {
  /// The problems that have an objective.
  static var minima: Self { [.minimum, .leastSquares] }
}
