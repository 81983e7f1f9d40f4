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
    self.scaleCount = scaleCount
    self.orientationCount = orientationCount
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
