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
    (self.description, self.scalarType) = (description, scalarType)
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

/// Which outer objective a problem has.
public enum OuterKind: String, Sendable, Codable, CaseIterable {
  /// c·x + ‖y‖² with normal c.
  case linear

  /// ‖Q x - q‖² / 2 with normal Q and q.
  case quadratic

  /// The mean loss on validation data.
  case validation

  /// The inner objective itself.
  case inner
}

/// A problem drawn by a seed: penalties uniform on a range, a start, and the outer objective.
///
/// The draws are those of Ye, Peyré, Cremers and Ablin (AISTATS 2024): log penalties y uniform on
/// [3, 6] or [-1, 1], a start 2 N(0, I), then pushed away from the solution so that all paths start
/// at a large error: x₀ + 10^1.5 (x₀ - x*).
public struct ProblemDraw: Sendable {
  /// The loss of the inner problem.
  public var loss: RowLoss

  /// The outer objective.
  public var outer: OuterKind

  /// The range of the log penalties y.
  public var penaltyRange: ClosedRange<Double>

  /// The scalar type of the problem.
  public var scalarType: ScalarType

  /// How far the start is pushed away from the solution, relative to their distance.
  public var push: Double

  /// Creates the settings of a draw.
  ///
  /// - Precondition: `scalarType` is a floating-point type.
  public init(
    loss: RowLoss, outer: OuterKind, penaltyRange: ClosedRange<Double> = 3...6,
    scalarType: ScalarType = .float64, push: Double = 31.622_776_601_683_793
  ) {
    (self.loss, self.outer, self.penaltyRange) = (loss, outer, penaltyRange)
    (self.scalarType, self.push) = (scalarType, push)
  }

  /// Draws a problem on data and solves it exactly.
  ///
  /// Each quantity has a generator of its own: the same seed gives the same start and penalties
  /// for every outer objective.
  ///
  /// - Throws: A `ProblemError` if the inner problem cannot be solved.
  public func problem(on data: DataSplit, seed: UInt64) throws(ProblemError)
    -> HyperparameterProblem
  {
    let root = PhiloxGenerator(seed: seed, stream: 9)
    var (startDraws, penaltyDraws, outerDraws) = (
      root.split(key: 1), root.split(key: 2), root.split(key: 3)
    )
    let n = data.training.featureCount
    let near = Tensor.normal([n], standardDeviation: 2, using: &startDraws)
    // A range of one number has no uniform distribution but is a fair wish.
    let width = penaltyRange.upperBound - penaltyRange.lowerBound
    let y = penaltyRange.lowerBound + width * Tensor.uniform([n], using: &penaltyDraws)
    let regression = PenalizedRegression(data.training, loss: loss)
    let solution = try regression.solution(at: y)
    return try HyperparameterProblem(
      description: describe(data, seed: seed), regression: regression,
      outer: objective(regression, data, &outerDraws), hyperparameters: y,
      start: near + push * (near - solution), scalarType: scalarType)
  }

  private func objective(
    _ regression: PenalizedRegression, _ data: DataSplit, _ generator: inout PhiloxGenerator
  ) -> any OuterObjective {
    let n = regression.innerSize
    switch outer {
    case .linear: return LinearOuter(Tensor.normal([n], using: &generator))
    case .quadratic:
      let matrix = Tensor.normal([n, n], using: &generator)
      return QuadraticOuter(matrix: matrix, target: Tensor.normal([n], using: &generator))
    case .validation: return ValidationLoss(data.validation, loss: loss)
    case .inner: return InnerAsOuter(regression)
    }
  }

  private func describe(_ data: DataSplit, seed: UInt64) -> String {
    let name = loss == .squared ? "ridge" : "logistic"
    let sizes = "\(data.training.rowCount)×\(data.training.featureCount)"
    return "\(name), \(outer.rawValue) outer objective, \(data.training.source) \(sizes), y in "
      + "[\(penaltyRange.lowerBound), \(penaltyRange.upperBound)], seed \(seed)"
  }
}
