/// The three shapes of dSprites, in the order of the data set.
public enum SpriteShape: Int, Sendable, CaseIterable {
  case square, ellipse, heart

  /// Half the side of the square, in pixels at scale 1.
  private static let halfSide = 9.6
  /// The half axes of the ellipse.
  private static let halfAxes = (u: 12.77, v: 7.21)

  /// Whether a point is inside the shape.
  ///
  /// Coordinates are pixels from the origin of the sprite, of the shape at scale 1 that is not
  /// turned: u to the right, v downwards.
  func contains(u: Double, v: Double) -> Bool {
    switch self {
    case .square:
      return abs(u) < Self.halfSide && abs(v) < Self.halfSide
    case .ellipse:
      let (a, b) = (u / Self.halfAxes.u, v / Self.halfAxes.v)
      return a * a + b * b < 1
    case .heart:
      return HeartOutline.shared.contains(u: u, v: v)
    }
  }

  /// A distance from the origin that no point of the shape exceeds.
  var radius: Double {
    switch self {
    case .square: 13.6
    case .ellipse: Self.halfAxes.u
    case .heart: HeartOutline.radius
    }
  }
}

/// The heart, symmetric about u = 0, its right half bounded by two cubic Bézier curves.
///
/// The control points were fitted to genuine images of the data set. The half is cut into arcs
/// along each of which u is monotone; a point is inside if an odd number of arcs pass above it.
struct HeartOutline: Sendable {
  static let shared = HeartOutline()

  /// A distance from the origin that no point of the heart exceeds.
  static let radius = 11.3

  private let arcs: [MonotoneArc]

  private init() {
    let lobe = CubicCurve(
      (0, -4.959), (0.825, -9.543), (7.017, -12.015), (9.6, -5.097))
    let flank = CubicCurve((9.6, -5.097), (10.185, 1.096), (3.171, 3.469), (0, 9.136))
    let widest = flank.u.turningPoint
    arcs = [
      MonotoneArc(lobe, from: 0, to: 1), MonotoneArc(flank, from: 0, to: widest),
      MonotoneArc(flank, from: widest, to: 1),
    ]
  }

  func contains(u: Double, v: Double) -> Bool {
    var isInside = false
    for arc in arcs where arc.passesAbove(u: abs(u), v: v) { isInside.toggle() }
    return isInside
  }
}

/// A piece of a cubic curve along which u rises or falls throughout.
private struct MonotoneArc: Sendable {
  private let curve: CubicCurve
  private let parameters: ClosedRange<Double>
  private let rises: Bool
  /// Half-open, so that a vertical line through a joint meets one of the arcs that meet there.
  private let extent: Range<Double>

  init(_ curve: CubicCurve, from start: Double, to end: Double) {
    self.curve = curve
    parameters = start...end
    let (first, last) = (curve.u(start), curve.u(end))
    rises = first < last
    extent = min(first, last)..<max(first, last)
  }

  /// Whether the arc meets the vertical line through a point above it, that is at a smaller v.
  func passesAbove(u: Double, v: Double) -> Bool {
    guard extent.contains(u), v > curve.heights.lowerBound else { return false }
    return v >= curve.heights.upperBound || curve.v(parameter(at: u)) < v
  }

  /// The parameter at which the arc reaches u, by Newton's method kept within a shrinking bracket.
  private func parameter(at u: Double) -> Double {
    var (low, high) = (parameters.lowerBound, parameters.upperBound)
    let share = (u - extent.lowerBound) / (extent.upperBound - extent.lowerBound)
    var t = low + (rises ? share : 1 - share) * (high - low)
    for _ in 0..<60 {
      let excess = curve.u(t) - u
      if (excess > 0) == rises { high = t } else { low = t }
      var next = t - excess / curve.u.slope(t)
      // Also where the slope is 0 and the step no number.
      if !(low <= next && next <= high) { next = 0.5 * (low + high) }
      if abs(next - t) < 1e-13 { return next }
      t = next
    }
    return t
  }
}

private struct CubicCurve: Sendable {
  let u: CubicPolynomial
  let v: CubicPolynomial
  /// Bounds of v: a Bézier curve stays among its control points.
  let heights: ClosedRange<Double>

  init(
    _ p0: (Double, Double), _ p1: (Double, Double), _ p2: (Double, Double),
    _ p3: (Double, Double)
  ) {
    u = CubicPolynomial(bezier: p0.0, p1.0, p2.0, p3.0)
    v = CubicPolynomial(bezier: p0.1, p1.1, p2.1, p3.1)
    heights = min(p0.1, p1.1, p2.1, p3.1)...max(p0.1, p1.1, p2.1, p3.1)
  }
}

private struct CubicPolynomial: Sendable {
  private let c0: Double
  private let c1: Double
  private let c2: Double
  private let c3: Double

  init(bezier p0: Double, _ p1: Double, _ p2: Double, _ p3: Double) {
    c0 = p0
    c1 = 3 * (p1 - p0)
    c2 = 3 * (p2 - 2 * p1 + p0)
    c3 = p3 - 3 * p2 + 3 * p1 - p0
  }

  func callAsFunction(_ t: Double) -> Double { c0 + t * (c1 + t * (c2 + t * c3)) }

  func slope(_ t: Double) -> Double { c1 + t * (2 * c2 + t * 3 * c3) }

  /// Where a polynomial that rises at 0 and falls at 1 is largest in between: the root of its slope
  /// there, written so that nothing cancels.
  var turningPoint: Double {
    c1 / (-c2 + (c2 * c2 - 3 * c3 * c1).squareRoot())
  }
}
