import Autodiff

/// A method for an inner problem: an argmin, a root, or a fixed point.
public protocol InnerSolver: Sendable {
  /// Solves a problem from its start.
  ///
  /// - Returns: The last finite point with its status, converged or not; the layer decides whether an
  ///   unconverged solve is an error.
  /// - Throws: What the functions of the problem throw.
  func solve(_ problem: InnerProblem) throws(BilevelError) -> InnerSolution
}

/// A point with the evidence for it.
public struct InnerSolution {
  /// x.
  public let value: Tensor
  /// How well it solves the problem; its history holds ‖F(x)‖.
  public let status: SolverStatus

  /// A solution.
  public init(value: Tensor, status: SolverStatus) {
    self.value = value
    self.status = status
  }
}

/// When an inner solver stops: ‖F(x)‖ ≤ relative · ‖F(x₀)‖ + absolute, with F the gradient of an
/// objective, the residual of a root, or x − T(x) of a fixed point.
///
/// x₀ is the layer's initial point, also when the solve is warm-started elsewhere: a good start
/// makes the same accuracy cheaper, not the target stricter.
public struct StoppingRule: Sendable, Equatable {
  /// The part of the residual at the initial point that may remain.
  public var relative: Double
  /// A residual that is always small enough.
  public var absolute: Double
  /// The most iterations.
  public var maximumIterations: Int

  /// A rule.
  ///
  /// - Precondition: Tolerances are not negative, the limit is not negative.
  public init(relative: Double = 1e-8, absolute: Double = 0, maximumIterations: Int = 1000) {
    guard relative >= 0, absolute >= 0, maximumIterations >= 0 else {
      stop(
        "StoppingRule",
        """
        tolerances and the iteration limit must not be negative, found relative \(relative), \
        absolute \(absolute), maximumIterations \(maximumIterations)
        """)
    }
    self.relative = relative
    self.absolute = absolute
    self.maximumIterations = maximumIterations
  }

  func threshold(scale: Double) -> Double { relative * scale + absolute }
}
