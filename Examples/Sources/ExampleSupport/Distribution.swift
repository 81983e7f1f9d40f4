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
  ///
  /// Quantiles are linear between order statistics, the quantile p at place p (n − 1).
  public init?(_ values: [Double]) {
    let sorted = values.filter(\.isFinite).sorted()
    guard let first = sorted.first, let last = sorted.last else { return nil }
    func quantile(_ p: Double) -> Double {
      let place = p * Double(sorted.count - 1)
      let index = min(Int(place), sorted.count - 1)
      let next = min(index + 1, sorted.count - 1)
      return sorted[index] + (place - Double(index)) * (sorted[next] - sorted[index])
    }
    (minimum, maximum) = (first, last)
    (lowerQuartile, median, upperQuartile) = (quantile(0.25), quantile(0.5), quantile(0.75))
    let (lower, upper) = (lowerQuartile, upperQuartile)
    let reach = 1.5 * (upper - lower)
    // A whisker never ends inside the box, where a quartile is between two numbers.
    lowerWhisker = min(lower, sorted.first { $0 >= lower - reach } ?? first)
    upperWhisker = max(upper, sorted.last { $0 <= upper + reach } ?? last)
  }
}
