import Autodiff
import Inference

/// A deep regression as plain numbers.
public struct DeepEstimates: InstrumentalEstimates {
  /// The change of the outcome per unit of a variable.
  public struct AverageEffect: Codable, Sendable {
    /// Of the trained function, which has no standard error.
    public let deep: Double
    /// By two-stage least squares.
    public let twoStageLeastSquares: Double?
    /// Nil where there is none that means anything.
    public let twoStageLeastSquaresStandardError: Double?
    /// By ordinary least squares.
    public let ordinaryLeastSquares: Double?
  }

  /// The seed of the initial weights.
  public let seed: UInt64
  /// How the networks were trained.
  public let settings: DeepIV
  /// The library of linear algebra and its threads, on which the rounding depends.
  public let linearAlgebra: String
  /// Loss of the inner problem after the inner steps of each outer iteration.
  public let innerLosses: [Double]
  /// Loss of the outer problem at each outer iteration.
  public let outerLosses: [Double]
  /// The mean derivative of the structural function by endogenous variable, and what two-stage and
  /// ordinary least squares say instead.
  public let averageEffects: [String: AverageEffect]
  /// Intervals of the head refitted on rows that features were not learned on.
  public let intervals: DeepIntervals
  /// What a reader must know before a number is believed.
  public let warnings: [String]
  /// Errors against the true structural function, where it is known.
  public let outOfSample: DeepErrors?

  /// Whether training was stopped before its end.
  public var isInterrupted: Bool { outerLosses.count < settings.iterations }

  init(_ fit: DeepIVFit, along lines: [StructuralLine], errors: DeepErrors?) {
    let linear = fit.linear.coefficients().suffix(fit.model.endogenous.count)
    let ordinary = fit.linear.ordinary.parameters.suffix(linear.count)
    seed = fit.seed
    settings = fit.settings
    linearAlgebra = LinearAlgebraBackend.description
    (innerLosses, outerLosses) = (fit.losses.map(\.inner), fit.losses.map(\.outer))
    averageEffects = keyed(
      linear.map(\.name),
      zip(fit.averageEffects, zip(linear, ordinary)).map {
        AverageEffect(
          deep: $0, twoStageLeastSquares: $1.0.value,
          twoStageLeastSquaresStandardError: $1.0.standardError, ordinaryLeastSquares: $1.1)
      })
    intervals = DeepIntervals(fit, along: lines)
    outOfSample = errors
    warnings = Self.warnings(
      averageEffects, intervals, weaknessReason: fit.linear.weaknessReason,
      rowCount: fit.model.observationCount)
  }

  // MARK: What cannot be claimed

  /// The number of rows from which the networks are worth more than a linear fit.
  private static let fewRows = 2000

  private static func warnings(
    _ effects: [String: AverageEffect], _ intervals: DeepIntervals, weaknessReason: String?,
    rowCount: Int
  ) -> [String] {
    var list: [String] = []
    if let weaknessReason {
      list.append(
        "Intervals are withheld: \(weaknessReason). A nonlinear first stage may be stronger, which "
          + "is not tested here; neither column of effects is to be relied on.")
    }
    for (name, effect) in effects.sorted(by: { $0.key < $1.key }) {
      list += contradictions(name, effect, intervals.averageEffects?[name])
    }
    if rowCount < fewRows {
      list.append(
        "Few rows: n = \(Numbers.count(rowCount)), below \(Numbers.count(fewRows)). Networks "
          + "learn little from so few, and the penalties pull the effect towards 0; rely on "
          + "'linear'.")
    }
    return list
  }

  /// Where effects differ by more than their errors.
  private static func contradictions(
    _ name: String, _ effect: AverageEffect, _ refitted: DeepIntervals.Effect?
  ) -> [String] {
    var list: [String] = []
    let quantile = NormalDistribution.quantile(0.975)
    if let linear = effect.twoStageLeastSquares,
      let error = effect.twoStageLeastSquaresStandardError
    {
      // Of independent estimates; that from the same rows differ by less.
      let (value, own) = (refitted?.value ?? effect.deep, refitted?.standardError ?? 0)
      if abs(value - linear) > quantile * (own * own + error * error).squareRoot() {
        list.append(
          "Contradiction: the average effect of \(name) is \(Numbers.significant(value)) "
            + (refitted == nil ? "by the trained function" : "by the refitted head") + " and "
            + "\(Numbers.significant(linear)) (s.e. \(Numbers.significant(error))) by linear 2SLS, "
            + "further apart than both errors explain. Where the effect is far from linear both can "
            + "be right; where it is not, the penalties or the training are to blame. Do not rely "
            + "on either before you know which.")
      }
    }
    if let refitted, !(refitted.lower...refitted.upper).contains(effect.deep) {
      list.append(
        "The trained function's average effect of \(name), \(Numbers.significant(effect.deep)), "
          + "lies outside the interval of the refitted head: the training is not at its optimum, or "
          + "the penalties count.")
    }
    return list
  }
}

extension DeepIVFit {
  /// The results with summary and JSON.
  ///
  /// - Parameters:
  ///   - lines: Where curves with one band over all of them are wanted; nil for `lines`.
  ///   - errors: Against a structural function that is known.
  public func result(
    along lines: [StructuralLine]? = nil, errors: DeepErrors? = nil
  ) -> InstrumentalResult<DeepEstimates> {
    InstrumentalResult(model, DeepEstimates(self, along: lines ?? self.lines, errors: errors))
  }
}

/// Mean squared errors against a structural function that is known, at points where the treatments
/// are set by intervention, in squares of a unit of the caller's.
public struct DeepErrors: Codable, Sendable {
  /// The number of points.
  public let points: Int
  /// Of the trained function.
  public let deep: Double
  /// Of two-stage least squares.
  public let linearTwoStageLeastSquares: Double
  /// Of ordinary least squares.
  public let ordinaryLeastSquares: Double
  /// Of the same network without instruments.
  public let naiveNetwork: Double
  /// Of the best constant, the variance of the truth.
  public let constant: Double

  /// Errors.
  ///
  /// - Parameters:
  ///   - columns: The treatments at the points.
  ///   - truth: The structural function there.
  ///   - naive: The prediction of the network without instruments.
  ///   - scale: The unit.
  public init(
    of fit: DeepIVFit, naive: [Double], at columns: [[Double]], truth: [Double], scale: Double
  ) {
    let (count, linear) = (truth.count, fit.linear)
    let named = keyed(fit.treatments.map(\.name), columns)
    let mean = truth.reduce(0, +) / Double(count)
    func error(_ fitted: [Double]) -> Double {
      let sum = zip(fitted, truth).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      return sum / Double(count) / (scale * scale)
    }
    points = count
    deep = error(fit.structuralFunction(at: columns))
    linearTwoStageLeastSquares = error(linear.estimates.predict(named, count: count))
    ordinaryLeastSquares = error(linear.ordinary.predict(named, count: count))
    naiveNetwork = error(naive)
    constant = error(truth.map { _ in mean })
  }
}
