/// What a dSprites image shows: one of 737,280 combinations of shape, scale, orientation and place.
///
/// Matthey, Higgins, Hassabis and Lerchner, *dSprites: Disentanglement testing Sprites dataset*
/// (2017). Each factor is an index, as in `latents_classes` of the data set; the numbers they stand
/// for, as in `latents_values`, are properties.
public struct SpriteLatents: Sendable, Hashable {
  /// How many scales there are.
  public static let scaleCount = SpriteLayout.full.scaleCount
  /// How many orientations there are.
  public static let orientationCount = SpriteLayout.full.orientationCount
  /// How many positions there are along each axis.
  public static let positionCount = SpriteLayout.full.positionCount
  /// How many images there are of each shape.
  public static let imagesPerShape = SpriteLayout.full.imagesPerShape
  /// How many images the full data set has.
  public static let imageCount = SpriteLayout.full.imageCount

  /// What is drawn.
  public let shape: SpriteShape
  /// 0 ..< 6, from the smallest.
  public let scaleIndex: Int
  /// 0 ..< 40, counter-clockwise; 39 is a full turn and gives the images of 0.
  public let orientationIndex: Int
  /// 0 ..< 32, from the left.
  public let xIndex: Int
  /// 0 ..< 32, from the top.
  public let yIndex: Int

  /// Latents from indices.
  ///
  /// - Precondition: Every index is in its range.
  public init(
    shape: SpriteShape, scaleIndex: Int, orientationIndex: Int, xIndex: Int, yIndex: Int
  ) {
    guard (0..<Self.scaleCount).contains(scaleIndex),
      (0..<Self.orientationCount).contains(orientationIndex),
      (0..<Self.positionCount).contains(xIndex), (0..<Self.positionCount).contains(yIndex)
    else {
      fatalError(
        """
        SpriteLatents: expected scale in 0..<6, orientation in 0..<40 and positions in 0..<32, \
        found \(scaleIndex), \(orientationIndex), \(xIndex) and \(yIndex)
        """)
    }
    self.shape = shape
    self.scaleIndex = scaleIndex
    self.orientationIndex = orientationIndex
    self.xIndex = xIndex
    self.yIndex = yIndex
  }

  /// The latents of an image of the full data set.
  ///
  /// - Precondition: `index` is in 0 ..< 737,280.
  public init(index: Int) {
    guard (0..<Self.imageCount).contains(index) else {
      fatalError("SpriteLatents: expected an index in 0..<\(Self.imageCount), found \(index)")
    }
    self = SpriteLayout.full.latents(at: index)
  }

  /// The position of the image in the full data set, where the vertical position changes fastest,
  /// then the horizontal one, the orientation, the scale and the shape.
  public var index: Int {
    guard let index = SpriteLayout.full.index(of: self) else {
      fatalError("SpriteLatents: \(self) is not in the data set")
    }
    return index
  }

  /// The size, 0.5, 0.6, … 1.
  public var scale: Double { Double(scaleIndex + 5) / 10 }

  /// The angle in radians, from 0 to 2π, both included.
  public var orientation: Double {
    Double(orientationIndex) * (2 * Double.pi / Double(Self.orientationCount - 1))
  }

  /// The horizontal place, 0 at the left to 1 at the right.
  public var x: Double { Double(xIndex) / Double(Self.positionCount - 1) }

  /// The vertical place, 0 at the top to 1 at the bottom.
  public var y: Double { Double(yIndex) / Double(Self.positionCount - 1) }
}
