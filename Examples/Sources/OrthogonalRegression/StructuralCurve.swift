import ExampleSupport
import Inference

/// A structural function along one variable with a pointwise interval and a simultaneous band.
public struct StructuralCurve: Sendable {
  /// The variable.
  public let variable: String
  /// Its values.
  public let points: [Double]
  /// The structural function at the points.
  public let values: [Double]
  /// Intervals that cover point by point.
  public let pointwise: [ClosedRange<Double>]
  /// Intervals that cover together.
  public let band: [ClosedRange<Double>]

  /// A curve.
  ///
  /// - Parameters:
  ///   - estimate: The structural function at the points.
  ///   - seed: Of the bootstrap of the band.
  public init(
    of variable: String, at points: [Double], _ estimate: Estimate, level: Double, seed: UInt64
  ) throws(InferenceError) {
    self.variable = variable
    self.points = points
    values = estimate.value.scalars
    pointwise = Self.ranges(estimate.intervals(level: level))
    band = Self.ranges(
      try estimate.simultaneousIntervals(level: level, bootstrap: MultiplierBootstrap(seed: seed)))
  }

  /// Evenly spaced points between the 2nd and the 98th percentile: the ends hold too few
  /// observations to say anything about.
  public static func grid(of values: [Double], count: Int = 60) -> [Double] {
    let sorted = values.sorted()
    let (low, high) = (sorted[sorted.count / 50], sorted[sorted.count - 1 - sorted.count / 50])
    return (0..<count).map { low + (high - low) * Double($0) / Double(count - 1) }
  }

  /// Band, pointwise interval and curve.
  public func marks(label: String, color: String) -> [SVGMark] {
    func area(_ ranges: [ClosedRange<Double>], _ label: String, _ opacity: Double) -> SVGMark {
      .band(
        lower: zip(points, ranges).map { SVGPoint($0, $1.lowerBound) },
        upper: zip(points, ranges).map { SVGPoint($0, $1.upperBound) }, label: label,
        color: color, opacity: opacity)
    }
    return [
      area(band, "simultaneous band", 0.15), area(pointwise, "pointwise interval", 0.25),
      .line(zip(points, values).map { SVGPoint($0, $1) }, label: label, color: color),
    ]
  }

  private static func ranges(_ intervals: Intervals) -> [ClosedRange<Double>] {
    zip(intervals.lower.scalars, intervals.upper.scalars).map { $0...$1 }
  }
}
