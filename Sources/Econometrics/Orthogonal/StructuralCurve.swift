import Inference

/// A structural function along one variable with a pointwise interval and a simultaneous band.
public struct StructuralCurve: Sendable, Codable {
  /// The variable.
  public var variable: String
  /// Its values.
  public let points: [Double]
  /// The structural function at the points.
  public let values: [Double]
  /// The ends of intervals that cover point by point; nil where they are withheld.
  public fileprivate(set) var lower: [Double?]
  public fileprivate(set) var upper: [Double?]
  /// The ends of intervals that cover together; nil where they are withheld.
  public fileprivate(set) var bandLower: [Double?]
  public fileprivate(set) var bandUpper: [Double?]
}

extension StructuralCurve {
  /// A curve.
  ///
  /// - Parameters:
  ///   - estimate: The structural function at the points.
  ///   - seed: Of the bootstrap of the band.
  init(
    of variable: String, at points: [Double], _ estimate: Estimate, level: Double, seed: UInt64
  ) throws(InferenceError) {
    let pointwise = estimate.intervals(level: level)
    let band = try estimate.simultaneousIntervals(
      level: level, bootstrap: MultiplierBootstrap(seed: seed))
    self.init(
      variable: variable, points: points, values: estimate.value.scalars,
      lower: pointwise.lower.scalars, upper: pointwise.upper.scalars,
      bandLower: band.lower.scalars, bandUpper: band.upper.scalars)
  }

  /// A part of the points, under a name of its own.
  subscript(range: Range<Int>, variable: String) -> StructuralCurve {
    StructuralCurve(
      variable: variable, points: Array(points[range]), values: Array(values[range]),
      lower: Array(lower[range]), upper: Array(upper[range]), bandLower: Array(bandLower[range]),
      bandUpper: Array(bandUpper[range]))
  }

  /// The function without its intervals.
  var withoutIntervals: StructuralCurve {
    var curve = self
    let none = [Double?](repeating: nil, count: points.count)
    (curve.lower, curve.upper, curve.bandLower, curve.bandUpper) = (none, none, none, none)
    return curve
  }

  /// The share of the points at which the pointwise interval holds a value.
  func coverage(of truth: [Double]) -> Double {
    let held = truth.indices.count { row in
      (lower[row] ?? -.infinity)...(upper[row] ?? .infinity) ~= truth[row]
    }
    return Double(held) / Double(truth.count)
  }

  /// Evenly spaced points between the 2nd and the 98th percentile: the ends hold too few
  /// observations to say anything about.
  static func grid(of values: [Double], count: Int = 60) -> [Double] {
    let sorted = values.sorted()
    let (low, high) = (sorted[sorted.count / 50], sorted[sorted.count - 1 - sorted.count / 50])
    return (0..<count).map { low + (high - low) * Double($0) / Double(count - 1) }
  }
}
