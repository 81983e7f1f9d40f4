import Autodiff

/// What a gradient check compares, how exactly, and at what cost.
public struct GradientCheckOptions: Sendable, Hashable, Codable {
  /// 1 for first derivatives only, 2 for second derivatives too.
  public let order: Int
  /// How far values may differ; nil is `.float64`, or `.float32` where `precision` is `.asGiven` and the
  /// point has a `float32` tensor.
  public let tolerances: GradientTolerances?
  /// The seed of the random directions.
  ///
  /// The same seed repeats the check exactly.
  public let seed: UInt64
  /// How a `float32` point is treated.
  public let precision: GradientPrecision
  /// Runs of the function that the element-by-element comparison may take.
  ///
  /// With more elements than a tenth of it, random directions are compared instead, and a disagreement
  /// is traced to its elements by halving.
  public let evaluationLimit: Int

  /// Options; what is not given is what most checks need.
  ///
  /// - Precondition: `order` is 1 or 2.
  public init(
    order: Int = 2, tolerances: GradientTolerances? = nil, seed: UInt64 = 20_417,
    precision: GradientPrecision = .double, evaluationLimit: Int = 20_000
  ) {
    guard order == 1 || order == 2 else {
      stop("checkGradients", "order \(order) cannot be checked; expected 1 or 2")
    }
    self.order = order
    self.tolerances = tolerances
    self.seed = seed
    self.precision = precision
    self.evaluationLimit = evaluationLimit
  }
}
