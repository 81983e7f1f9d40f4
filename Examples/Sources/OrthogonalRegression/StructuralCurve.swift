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

  /// A part of the points, under a name of its own.
  public subscript(range: Range<Int>, variable: String) -> StructuralCurve {
    StructuralCurve(
      variable: variable, points: Array(points[range]), values: Array(values[range]),
      pointwise: Array(pointwise[range]), band: Array(band[range]))
  }

  private init(
    variable: String, points: [Double], values: [Double], pointwise: [ClosedRange<Double>],
    band: [ClosedRange<Double>]
  ) {
    (self.variable, self.points, self.values) = (variable, points, values)
    (self.pointwise, self.band) = (pointwise, band)
  }

  /// Evenly spaced points between the 2nd and the 98th percentile: the ends hold too few
  /// observations to say anything about.
  public static func grid(of values: [Double], count: Int = 60) -> [Double] {
    let sorted = values.sorted()
    let (low, high) = (sorted[sorted.count / 50], sorted[sorted.count - 1 - sorted.count / 50])
    return (0..<count).map { low + (high - low) * Double($0) / Double(count - 1) }
  }

  /// Band and pointwise interval.
  ///
  /// - Parameter isNamed: Whether they are in the legend.
  public func areas(color: String, isNamed: Bool = true) -> [SVGMark] {
    [(band, "simultaneous band", 0.15), (pointwise, "pointwise interval", 0.25)].map {
      ranges, label, opacity in
      .band(
        lower: zip(points, ranges).map { SVGPoint($0, $1.lowerBound) },
        upper: zip(points, ranges).map { SVGPoint($0, $1.upperBound) },
        label: isNamed ? label : nil, color: color, opacity: opacity)
    }
  }

  private static func ranges(_ intervals: Intervals) -> [ClosedRange<Double>] {
    zip(intervals.lower.scalars, intervals.upper.scalars).map { $0...$1 }
  }
}
