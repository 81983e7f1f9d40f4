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
    (self.shape, self.scaleIndex, self.orientationIndex) = (shape, scaleIndex, orientationIndex)
    (self.xIndex, self.yIndex) = (xIndex, yIndex)
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

/// How many scales, orientations and positions a data set has, and in what order its images are.
///
/// The vertical position changes fastest, then the horizontal one, the orientation, the scale and
/// the shape. Data sets smaller than the published one have its first few of each.
package struct SpriteLayout: Sendable, Equatable {
  /// The layout of the published data set.
  package static let full = SpriteLayout(scaleCount: 6, orientationCount: 40, positionCount: 32)

  package let scaleCount: Int
  package let orientationCount: Int
  package let positionCount: Int

  package init(scaleCount: Int, orientationCount: Int, positionCount: Int) {
    (self.scaleCount, self.orientationCount) = (scaleCount, orientationCount)
    self.positionCount = positionCount
  }

  package var imagesPerShape: Int {
    scaleCount * orientationCount * positionCount * positionCount
  }

  package var imageCount: Int { SpriteShape.allCases.count * imagesPerShape }

  /// The position of an image, or nil if the data set does not have it.
  package func index(of latents: SpriteLatents) -> Int? {
    guard latents.scaleIndex < scaleCount, latents.orientationIndex < orientationCount,
      latents.xIndex < positionCount, latents.yIndex < positionCount
    else { return nil }
    var index = latents.shape.rawValue
    index = index * scaleCount + latents.scaleIndex
    index = index * orientationCount + latents.orientationIndex
    index = index * positionCount + latents.xIndex
    return index * positionCount + latents.yIndex
  }

  /// What the image at a position shows.
  package func latents(at index: Int) -> SpriteLatents {
    let (columns, y) = index.quotientAndRemainder(dividingBy: positionCount)
    let (turns, x) = columns.quotientAndRemainder(dividingBy: positionCount)
    let (sizes, orientation) = turns.quotientAndRemainder(dividingBy: orientationCount)
    let (shape, scale) = sizes.quotientAndRemainder(dividingBy: scaleCount)
    return SpriteLatents(
      shape: SpriteShape.allCases[shape], scaleIndex: scale, orientationIndex: orientation,
      xIndex: x, yIndex: y)
  }
}
