import Autodiff

/// A bilevel problem of hyperparameters at a point y, with its exact answer.
///
/// h(y) = g(x*(y), y), x*(y) = argmin f(·, y).
///
/// `inner` and `outer` are f and g as functions of tensors, for a program to differentiate;
/// `solution` and `hypergradient` are x*(y) and ∇h(y) computed from closed forms, without automatic
/// differentiation. The exact answers are `float64` whatever the scalar type of the problem, and
/// belong to the data as rounded to that type, so that rounding the data does not count as an error.
public struct HyperparameterProblem: Sendable {
  /// What the problem is, in a line.
  public let description: String

  /// f: the inner problem, in `scalarType`.
  public let regression: PenalizedRegression

  /// g: the outer objective, in `scalarType`.
  public let outerObjective: any OuterObjective

  /// y [m], the point at which the hypergradient is wanted, in `scalarType`.
  public let hyperparameters: Tensor

  /// A start [n] for an iterative inner solver, in `scalarType`.
  public let start: Tensor

  /// x*(y) [n], `float64`.
  public let solution: Tensor

  /// ∇h(y) [m], `float64`.
  public let hypergradient: Tensor

  /// The scalar type in which `inner` and `outer` compute.
  public let scalarType: ScalarType

  /// The error of an estimate that may be rounding alone, relative to ‖∇h‖.
  public var roundOff: Double { scalarType == .float32 ? 1e-6 : 1e-13 }

  /// Creates a problem and solves it exactly.
  ///
  /// - Parameters:
  ///   - description: What the problem is, in a line.
  ///   - regression: The inner problem.
  ///   - outer: The outer objective.
  ///   - hyperparameters: y [m].
  ///   - start: [n].
  ///   - scalarType: `.float64` or `.float32`.
  /// - Throws: A `ProblemError` if the inner problem cannot be solved.
  public init(
    description: String, regression: PenalizedRegression, outer: any OuterObjective,
    hyperparameters: Tensor, start: Tensor, scalarType: ScalarType = .float64
  ) throws(ProblemError) {
    self.description = description
    self.scalarType = scalarType
    self.regression = regression.cast(to: scalarType)
    outerObjective = outer.cast(to: scalarType)
    self.hyperparameters = hyperparameters.cast(to: scalarType)
    self.start = start.cast(to: scalarType)

    let y = self.hyperparameters.cast(to: .float64)
    let exact = self.regression.cast(to: .float64)
    solution = try exact.solution(at: y)
    hypergradient = try outerObjective.cast(to: .float64)
      .exactHypergradient(exact, at: y, solution: solution)
  }

  /// n, the number of inner variables.
  public var innerSize: Int { regression.innerSize }

  /// m, the number of outer variables.
  public var outerSize: Int { regression.outerSize }

  /// f(x, y), a scalar, for x [n] and y [m] of `scalarType`.
  public func inner(_ x: Tensor, _ y: Tensor) -> Tensor { regression.objective(x, y) }

  /// g(x, y), a scalar, for x [n] and y [m] of `scalarType`.
  public func outer(_ x: Tensor, _ y: Tensor) -> Tensor { outerObjective.value(x, y) }

  /// ‖x - x*(y)‖, in `float64`.
  public func innerError(_ x: Tensor) -> Double {
    (x.cast(to: .float64) - solution).norm().scalar
  }

  /// ‖estimate - ∇h(y)‖, in `float64`.
  public func hypergradientError(_ estimate: Tensor) -> Double {
    (estimate.cast(to: .float64) - hypergradient).norm().scalar
  }
}
