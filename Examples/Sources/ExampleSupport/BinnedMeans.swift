import Inference

/// A scatter of many points condensed: the points sorted by x are cut into bins of equal size, and
/// each bin shows its mean with a 95 % interval for the mean of y.
public struct BinnedMeans: Sendable {
  /// The means of the bins.
  public let points: [SVGPoint]

  /// The intervals for the mean of y.
  public let intervals: [ClosedRange<Double>]

  /// Bins points into at most `count` bins, of at least five points each where there are as many.
  ///
  /// - Precondition: `x` and `y` have the same length.
  public init(x: [Double], y: [Double], count: Int) {
    let order = x.indices.sorted { (x[$0], $0) < (x[$1], $1) }
    let bins = max(1, min(count, order.count / 5))
    var points: [SVGPoint] = []
    var intervals: [ClosedRange<Double>] = []
    for bin in 0..<bins {
      let members = order[(bin * order.count / bins)..<((bin + 1) * order.count / bins)]
      guard !members.isEmpty else { continue }
      let size = Double(members.count)
      let meanX = members.reduce(0) { $0 + x[$1] } / size
      let meanY = members.reduce(0) { $0 + y[$1] } / size
      let squares = members.reduce(0) { $0 + (y[$1] - meanY) * (y[$1] - meanY) }
      let error = size > 1 ? (squares / (size - 1) / size).squareRoot() : 0
      let half = NormalDistribution.quantile(0.975) * error
      points.append(SVGPoint(meanX, meanY))
      intervals.append((meanY - half)...(meanY + half))
    }
    self.points = points
    self.intervals = intervals
  }
}
