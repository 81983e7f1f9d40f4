import Autodiff
import ExampleSupport
import Foundation
import TensorFiles

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
    (self.name, self.seed, self.errors) = (name, seed, errors)
    (self.hypergradientErrors, self.hypergradientNorm) = (hypergradientErrors, hypergradientNorm)
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
    func counterpart(of curve: EstimatorCurve) -> EstimatorCurve? {
      reference.first { $0.seed == curve.seed }
    }
    name = curves.first?.name ?? ""
    problems = curves.count
    let slopes = curves.compactMap { $0.slope(below: slopeLimit) }
    (slope, slopeRange) = (slopes.median, slopes.extent)
    isExact = !curves.isEmpty && curves.allSatisfy(\.isExact)
    let ratios = curves.compactMap { curve -> Double? in
      guard let other = counterpart(of: curve)?.value(at: ratioError),
        let own = curve.value(at: ratioError), other > 0
      else { return nil }
      return own / other
    }
    (constantRatio, constantRatioRange) = (ratios.median, ratios.extent)
    efficiencyRatio =
      curves.compactMap { curve -> Double? in
        guard let own = curve.efficiencyConstant,
          let other = counterpart(of: curve)?.efficiencyConstant,
          // A reference that is super-efficient itself leaves rounding to divide by.
          other > 1e-10 * curve.hypergradientNorm
        else { return nil }
        return own / other
      }.median
    self.levels = levels.compactMap { error in
      let values = curves.compactMap { $0.value(at: error) }
      guard 2 * values.count >= curves.count, let lower = values.quantile(0.25),
        let middle = values.median, let upper = values.quantile(0.75)
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
}

extension [EstimatorSummary] {
  /// The table for the terminal: slope and error relative to the first estimator, each as median
  /// and range over problems.
  public func table(ratioError: Double) -> String {
    let reference = first?.name ?? ""
    func range(_ range: ClosedRange<Double>?, _ format: NumberFormat) -> String {
      range.map { "\(format.text($0.lowerBound)) … \(format.text($0.upperBound))" } ?? ""
    }
    let table = self.table([
      .init("estimator", text: \.name),
      .init("slope") { row in
        row.isExact ? "exact" : row.slope.map { Numbers.fixed($0, decimals: 2) } ?? "–"
      },
      .init("range") { $0.isExact ? "" : range($0.slopeRange, .fixed(2)) },
      .init("error / \(reference)", .significant(3), missing: "–", \.constantRatio),
      .init("range") { range($0.constantRatioRange, .significant(2)) },
      // What rounding leaves of an exact zero is 0.
      .init("C / C \(reference)", .significant(3), missing: "") { row in
        row.efficiencyRatio.map { $0 < 1e-8 ? 0 : $0 }
      },
    ])
    return table + "\n"
      + wrapped(
        "Medians and ranges over \(Numbers.counted(map(\.problems).max() ?? 0, "problem")); errors "
          + "compared at inner error \(Numbers.significant(ratioError, digits: 2)). Slope 2: the "
          + "error of the hypergradient is the square of the inner error, up to a constant. C: the "
          + "constant of the first order, by differentiating the estimator at the solution; 0 where "
          + "it is rounding.")
  }
}

extension [EstimatorCurve] {
  /// Every point of every curve: estimator, seed, innerError, hypergradientError.
  public var csv: CSVWriter {
    var writer = CSVWriter(columnNames: ["estimator", "seed", "innerError", "hypergradientError"])
    for curve in self {
      // Larger seeds are no exact numbers.
      let seed: CSVValue =
        curve.seed <= 1 << 53 ? .number(Double(curve.seed)) : .text("\(curve.seed)")
      for (error, value) in zip(curve.errors, curve.hypergradientErrors) {
        writer.append([.text(curve.name), seed, .number(error), .number(value)])
      }
    }
    return writer
  }
}

/// The least-squares slope of log `values` against log `errors`, over the pairs above a floor.
///
/// An estimator whose error is C |x - x*|^k has the slope k.
///
/// - Parameters:
///   - errors: Inner errors; pairs with one that is not positive are left out.
///   - values: Errors of the estimate.
///   - floor: Pairs with a value up to it are left out: there rounding is all that is left.
/// - Returns: nil with fewer than three pairs, or if all errors are the same.
public func logLogSlope(errors: [Double], values: [Double], floor: Double = 0) -> Double? {
  let pairs = zip(errors, values).filter { error, value in
    error > 0 && error.isFinite && value > max(floor, 0) && value.isFinite
  }
  guard pairs.count >= 3 else { return nil }
  let (x, y) = (pairs.map { log($0.0) }, pairs.map { log($0.1) })
  let (centerX, centerY) = (x.mean, y.mean)
  let spread = x.reduce(0) { $0 + ($1 - centerX) * ($1 - centerX) }
  guard spread > 1e-20 * Double(x.count) else { return nil }
  return zip(x, y).reduce(0) { $0 + ($1.0 - centerX) * ($1.1 - centerY) } / spread
}
