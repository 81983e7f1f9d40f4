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
