import Autodiff

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
    self.loss = loss
    self.outer = outer
    self.penaltyRange = penaltyRange
    self.scalarType = scalarType
    self.push = push
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
