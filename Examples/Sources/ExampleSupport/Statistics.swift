import Inference

extension [Double] {
  /// The mean; NaN without values.
  public var mean: Double { reduce(0, +) / Double(count) }

  /// The variance of a sample, with n − 1; NaN with fewer than two values.
  public var variance: Double {
    let mean = mean
    return reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count - 1)
  }

  /// The Euclidean norm.
  public var norm: Double { reduce(0) { $0 + $1 * $1 }.squareRoot() }

  /// The quantile at `probability`; nil without values.
  ///
  /// Ordered values are interpolated linearly (type 7 of Hyndman and Fan 1996, NumPy's default).
  /// Values that are NaN are left out.
  ///
  /// - Precondition: `probability` is in [0, 1].
  public func quantile(_ probability: Double) -> Double? {
    precondition((0...1).contains(probability), "\(probability) is not between 0 and 1")
    let sorted = filter { !$0.isNaN }.sorted()
    guard let last = sorted.last else { return nil }
    let position = probability * Double(sorted.count - 1)
    let index = Int(position)
    guard index + 1 < sorted.count else { return last }
    let (low, high) = (sorted[index], sorted[index + 1])
    // Equal infinities have no difference.
    return low == high ? low : low + (position - Double(index)) * (high - low)
  }

  /// The median; nil without values.
  public var median: Double? { quantile(0.5) }

  /// From the smallest to the largest value; nil without values.
  public var extent: ClosedRange<Double>? {
    guard let low = self.min(), let high = self.max() else { return nil }
    return low...high
  }
}

/// Where a sample of numbers lies, as a box plot shows it.
public struct Distribution: Codable, Equatable, Sendable {
  /// The smallest number.
  public let minimum: Double
  /// The smallest number at most 1.5 inter-quartile ranges below the lower quartile.
  public let lowerWhisker: Double
  /// A quarter of the numbers are below.
  public let lowerQuartile: Double
  /// Half of the numbers are below.
  public let median: Double
  /// Three quarters of the numbers are below.
  public let upperQuartile: Double
  /// The largest number at most 1.5 inter-quartile ranges above the upper quartile.
  public let upperWhisker: Double
  /// The largest number.
  public let maximum: Double

  /// The distribution of the numbers that are finite; nil where there are none.
  public init?(_ values: [Double]) {
    let sorted = values.filter(\.isFinite).sorted()
    guard let first = sorted.first, let last = sorted.last, let lower = sorted.quantile(0.25),
      let median = sorted.median, let upper = sorted.quantile(0.75)
    else { return nil }
    (minimum, maximum, self.median) = (first, last, median)
    (lowerQuartile, upperQuartile) = (lower, upper)
    let reach = 1.5 * (upper - lower)
    // A whisker never ends inside the box, where a quartile is between two numbers.
    lowerWhisker = min(lower, sorted.first { $0 >= lower - reach } ?? first)
    upperWhisker = max(upper, sorted.last { $0 <= upper + reach } ?? last)
  }
}

/// A scatter of many points condensed: the points sorted by x are cut into bins of equal size, and
/// each bin shows its mean with a 95 % interval for the mean of y.
public struct BinnedMeans: Sendable {
  /// The means of the bins.
  public private(set) var points: [SVGPoint] = []

  /// The intervals for the mean of y.
  public private(set) var intervals: [ClosedRange<Double>] = []

  /// Bins points into at most `count` bins, of at least five points each where there are as many.
  ///
  /// - Precondition: `x` and `y` have the same length.
  public init(x: [Double], y: [Double], count: Int) {
    let order = x.indices.sorted { (x[$0], $0) < (x[$1], $1) }
    let bins = max(1, min(count, order.count / 5))
    for bin in 0..<bins where !order.isEmpty {
      let members = order[(bin * order.count / bins)..<((bin + 1) * order.count / bins)]
      let values = members.map { y[$0] }
      let mean = values.mean
      let error = members.count > 1 ? (values.variance / Double(members.count)).squareRoot() : 0
      let half = NormalDistribution.quantile(0.975) * error
      points.append(SVGPoint(members.map { x[$0] }.mean, mean))
      intervals.append((mean - half)...(mean + half))
    }
  }
}

/// Errors of an estimator over replications, [replications][coordinates].
///
/// A norm is Euclidean over coordinates.
public struct ErrorTable {
  private let rows: [[Double]]
  private let columns: [[Double]]

  /// A table; replications without an estimate are left out.
  public init(_ rows: [[Double]]) {
    let rows = rows.filter { !$0.isEmpty }
    self.rows = rows
    columns = (0..<(rows.first?.count ?? 0)).map { column in rows.map { $0[column] } }
  }

  /// The norm of the mean error.
  public var bias: Double { columns.map(\.mean).norm }

  /// The root of the summed variances.
  public var deviation: Double { columns.map(\.variance).reduce(0, +).squareRoot() }

  /// The root of the mean squared norm.
  public var rootMeanSquare: Double { squares.mean.squareRoot() }

  /// The Monte Carlo standard error of that, by the delta method.
  public var rootMeanSquareError: Double {
    squares.variance.squareRoot() / Double(rows.count).squareRoot() / (2 * rootMeanSquare)
  }

  /// The mean over coordinates of |bias| / standard deviation.
  public var biasToDeviation: Double {
    columns.map { $0.mean.magnitude / $0.variance.squareRoot() }.mean
  }

  private var squares: [Double] { rows.map { $0.reduce(0) { $0 + $1 * $1 } } }
}

/// Whether intervals hold the truth over replications, [replications][coordinates].
public struct HitTable {
  private let rows: [[Bool]]

  /// A table of hits.
  public init(_ rows: [[Bool]]) { self.rows = rows }

  /// Whether errors are within 95 % intervals of given standard errors.
  public init(errors: [[Double]], standardErrors: [[Double]]) {
    let critical = NormalDistribution.quantile(0.975)
    rows = zip(errors, standardErrors).map { errors, deviations in
      zip(errors, deviations).map { $0.magnitude <= critical * $1 }
    }
  }

  /// The share of all.
  public var mean: Double { rows.map(share).mean }

  /// Its Monte Carlo standard error: coordinates of one replication depend on each other.
  public var standardError: Double {
    (rows.map(share).variance / Double(rows.count)).squareRoot()
  }

  /// The least and the largest share of a coordinate.
  public var range: ClosedRange<Double>? {
    rows.first?.indices.map { column in share(rows.map { $0[column] }) }.extent
  }

  private func share(_ hits: [Bool]) -> Double { Double(hits.count { $0 }) / Double(hits.count) }
}
