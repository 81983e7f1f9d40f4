import Econometrics

extension StructuralCurve {
  /// Band and pointwise interval; none where they are withheld.
  ///
  /// - Parameter isNamed: Whether they are in the legend.
  public func areas(color: String, isNamed: Bool = true) -> [SVGMark] {
    [
      (bandLower, bandUpper, "simultaneous band", 0.15),
      (lower, upper, "pointwise interval", 0.25),
    ].compactMap { low, high, label, opacity in
      guard !low.contains(nil) else { return nil }
      return .band(
        lower: SVGPoint.line(points, low.compactMap { $0 }),
        upper: SVGPoint.line(points, high.compactMap { $0 }), label: isNamed ? label : nil,
        color: color, opacity: opacity)
    }
  }
}

extension SVGPoint {
  /// Points from their coordinates.
  public static func line(_ x: [Double], _ y: [Double]) -> [SVGPoint] {
    zip(x, y).map { SVGPoint($0, $1) }
  }
}
