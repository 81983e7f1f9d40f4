import Autodiff
import Foundation

/// How the error of one estimator depends on the error of the inner solution, for one problem.
public struct EstimatorCurve: Sendable, Equatable, Codable {
  /// The estimator.
  public var name: String

  /// The seed of the problem.
  public var seed: UInt64

  /// ‖x - x*‖ at the points, as they came.
  public var errors: [Double]

  /// The error of the estimate at the same points.
  public var hypergradientErrors: [Double]

  /// ‖∇h‖.
  public var hypergradientNorm: Double

  /// The error of an estimate that may be rounding alone, relative to ‖∇h‖.
  public var roundOff: Double

  /// The constant C of error ≤ C ‖x - x*‖ to first order, where it is known.
  public var efficiencyConstant: Double?

  /// Creates the curve of the estimates of a problem's hypergradient.
  ///
  /// - Parameters:
  ///   - name: The estimator.
  ///   - seed: The seed of the problem.
  ///   - problem: The problem.
  ///   - points: The approximate inner solutions.
  ///   - estimates: The estimate [m] at each point.
  /// - Precondition: As many estimates as points.
  public init(
    name: String, seed: UInt64, problem: HyperparameterProblem, points: [InnerPoint],
    estimates: [Tensor]
  ) {
    self.init(
      name: name, seed: seed, errors: points.map(\.error),
      hypergradientErrors: estimates.map(problem.hypergradientError),
      hypergradientNorm: problem.hypergradient.norm().scalar, roundOff: problem.roundOff)
  }

  /// Creates a curve.
  ///
  /// - Precondition: As many estimates as errors.
  public init(
    name: String, seed: UInt64, errors: [Double], hypergradientErrors: [Double],
    hypergradientNorm: Double, roundOff: Double = 1e-13
  ) {
    guard errors.count == hypergradientErrors.count else {
      fatalError(
        "EstimatorCurve: \(errors.count) errors and \(hypergradientErrors.count) estimates")
    }
    self.name = name
    self.seed = seed
    self.errors = errors
    self.hypergradientErrors = hypergradientErrors
    self.hypergradientNorm = hypergradientNorm
    self.roundOff = roundOff
  }

  /// The slope of log estimate error against log inner error, over inner errors below `limit`;
  /// estimates that are right to rounding are left out.
  ///
  /// - Returns: nil where fewer than three points are left: the estimate is exact, or the points
  ///   are too few.
  public func slope(below limit: Double = .infinity) -> Double? {
    let kept = errors.indices.filter { errors[$0] < limit }
    return logLogSlope(
      errors: kept.map { errors[$0] }, values: kept.map { hypergradientErrors[$0] },
      floor: roundOff * hypergradientNorm)
  }

  /// Whether every estimate is right to rounding, up to a factor of 10 for points far away.
  public var isExact: Bool {
    !errors.isEmpty && hypergradientErrors.allSatisfy { $0 <= 10 * roundOff * hypergradientNorm }
  }

  /// The estimate error at an inner error, interpolated between the points around it on
  /// logarithmic scales; nil outside their range.
  public func value(at error: Double) -> Double? {
    let points = zip(errors, hypergradientErrors).filter {
      $0.0 > 0 && $0.0.isFinite && $0.1.isFinite
    }.sorted { $0.0 < $1.0 }
    guard let above = points.firstIndex(where: { $0.0 >= error }) else { return nil }
    if points[above].0 == error { return points[above].1 }
    guard above > 0 else { return nil }
    let (low, high) = (points[above - 1], points[above])
    let share = log(error / low.0) / log(high.0 / low.0)
    // Without a logarithm at an exact estimate, the nearer point.
    guard low.1 > 0, high.1 > 0 else { return share < 0.5 ? low.1 : high.1 }
    return low.1 * pow(high.1 / low.1, share)
  }
}

/// The curves of one estimator over several problems, as medians and quantiles.
public struct EstimatorSummary: Sendable, Equatable, Codable {
  /// The spread over problems at one inner error.
  public struct Level: Sendable, Equatable, Codable {
    /// The inner error.
    public var error: Double
    /// The lower quartile of the estimate error.
    public var lower: Double
    /// The median of the estimate error.
    public var median: Double
    /// The upper quartile of the estimate error.
    public var upper: Double
  }

  /// The estimator.
  public var name: String

  /// The number of problems.
  public var problems: Int

  /// The median slope over the problems that have one; nil if none has.
  public var slope: Double?

  /// The smallest and the largest slope; nil if no problem has one.
  public var slopeRange: ClosedRange<Double>?

  /// Whether every estimate of every problem is right to rounding.
  public var isExact: Bool

  /// The median over problems of the estimate error divided by that of the reference estimator, at
  /// the inner error `ratioError`.
  public var constantRatio: Double?

  /// The smallest and the largest of these ratios.
  public var constantRatioRange: ClosedRange<Double>?

  /// The median over problems of the efficiency constant divided by that of the reference
  /// estimator; nil where it is not known.
  public var efficiencyRatio: Double?

  /// The curves at common inner errors, where at least half of the problems have a value.
  public var levels: [Level]

  /// Summarises the curves of one estimator.
  ///
  /// - Parameters:
  ///   - curves: One curve to a problem, all of one estimator.
  ///   - reference: The curves of the reference estimator, on the same problems by seed.
  ///   - levels: The inner errors at which to summarise.
  ///   - ratioError: The inner error at which constants are compared.
  ///   - slopeLimit: Slopes are taken below this inner error.
  public init(
    _ curves: [EstimatorCurve], reference: [EstimatorCurve], levels: [Double], ratioError: Double,
    slopeLimit: Double
  ) {
    name = curves.first?.name ?? ""
    problems = curves.count
    let slopes = curves.compactMap { $0.slope(below: slopeLimit) }
    slope = HyperparameterProblems.median(slopes)
    slopeRange = Self.range(slopes)
    isExact = !curves.isEmpty && curves.allSatisfy(\.isExact)
    let ratios = curves.compactMap { curve -> Double? in
      guard let other = reference.first(where: { $0.seed == curve.seed })?.value(at: ratioError),
        let own = curve.value(at: ratioError), other > 0
      else { return nil }
      return own / other
    }
    constantRatio = HyperparameterProblems.median(ratios)
    constantRatioRange = Self.range(ratios)
    efficiencyRatio = HyperparameterProblems.median(
      curves.compactMap { curve in
        guard let own = curve.efficiencyConstant,
          let other = reference.first(where: { $0.seed == curve.seed })?.efficiencyConstant,
          // A reference that is super-efficient itself leaves rounding to divide by.
          other > 1e-10 * curve.hypergradientNorm
        else { return nil }
        return own / other
      })
    self.levels = levels.compactMap { error in
      let values = curves.compactMap { $0.value(at: error) }
      guard 2 * values.count >= curves.count, let lower = quantile(values, 0.25),
        let middle = HyperparameterProblems.median(values), let upper = quantile(values, 0.75)
      else { return nil }
      return Level(error: error, lower: lower, median: middle, upper: upper)
    }
  }

  /// Summarises all curves, in the order in which the estimators first appear; the first estimator
  /// is the reference.
  public static func summaries(
    _ curves: [EstimatorCurve], levels: [Double], ratioError: Double, slopeLimit: Double
  ) -> [EstimatorSummary] {
    var names: [String] = []
    for curve in curves where !names.contains(curve.name) { names.append(curve.name) }
    let reference = curves.filter { $0.name == names.first }
    return names.map { name in
      EstimatorSummary(
        curves.filter { $0.name == name }, reference: reference, levels: levels,
        ratioError: ratioError, slopeLimit: slopeLimit)
    }
  }

  private static func range(_ values: [Double]) -> ClosedRange<Double>? {
    guard let low = values.min(), let high = values.max() else { return nil }
    return low...high
  }
}
